// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts the connections that are being validated for waiters.
@usableFromInline
final class Validations: Sendable {
    @usableFromInline let count = Atomic(0)

    /// The number of connections that will serve a waiter if they are valid. The pool reconciles after every validation, so a
    /// waiter for which no connection is opened because of a validation is not forgotten.
    @inlinable var forWaiters: Int { count.load(ordering: .sequentiallyConsistent) }

    /// Begins a validation for a waiter.
    func begin() -> Validation {
        count.add(1, ordering: .sequentiallyConsistent)
        return Validation(self)
    }

    /// One validation for a waiter. It counts until it ends, or until the waiter that has asked for it leaves.
    @usableFromInline
    final class Validation: Sendable {
        private let validations: Validations
        private let claim = Claim()

        fileprivate init(_ validations: Validations) {
            self.validations = validations
        }

        /// Stops counting the validation. Returns `true` for the first call, whose caller must then reconcile.
        @discardableResult
        func end() -> Bool {
            guard claim.take() else { return false }
            validations.count.subtract(1, ordering: .sequentiallyConsistent)
            return true
        }
    }
}

// A validation or a reset uses a connection in a task of its own. The connection is moved out of its slot for that time, so
// that the slot can be freed although the strategy does not return.

extension _PoolEngine {
    /// What the strategy does with a connection between two leases.
    private enum Check {
        case validation, reset

        var failure: ConnectionCloseReason {
            switch self {
            case .validation: .validationFailed
            case .reset: .resetFailed
            }
        }
    }

    /// Validates a connection for the oldest waiter.
    ///
    /// - Parameter inheritingTask: Whether the validation gets the current task's task-local values and priority.
    @discardableResult
    @usableFromInline
    func validateForWaiter(_ lease: Core.Lease, inheritingTask: Bool = false) -> Validations.Validation {
        let validation = validations.begin()
        check(lease, .validation, inheritingTask: inheritingTask) { _ in validation.end() }
        return validation
    }

    /// Validates an idle connection that maintenance has taken.
    func validateInBackground(_ lease: Core.Lease) {
        check(lease, .validation)
    }

    /// Validates a connection for a health check, and then makes it idle or closes it. `ended` is told whether it is valid.
    func startValidation(_ lease: Core.Lease, ended: @escaping @Sendable (Bool) -> Void) {
        check(lease, .validation, inheritingTask: true, ended: ended)
    }

    /// Resets a connection that was released.
    func reset(_ lease: Core.Lease) {
        check(lease, .reset)
    }

    /// Lets the strategy check a connection, and then releases the connection, or closes it if the check has failed.
    ///
    /// If a check exceeds ``ConnectionPoolConfiguration/validationTimeout``, the pool cancels the check, and aborts and closes
    /// the connection. If the check still does not return, the slot is free after ``ConnectionPoolConfiguration/closeTimeout``.
    ///
    /// - Parameter ended: Called once, with `true` when the connection has been released, and with `false` when it is closing.
    private func check(
        _ lease: Core.Lease,
        _ check: Check,
        inheritingTask: Bool = false,
        ended: @escaping @Sendable (Bool) -> Void = { _ in }
    ) {
        if settings.initialFlags.contains(.isTracked) { record(of: lease).pointee.noteInternalUse() }
        minimumIdle.internalUse.begin()
        nonisolated(unsafe) let taken = connection(of: lease).move()
        let overdueCall = OverdueCall<Strategy.Connection>()
        let task = Canceller()
        let operation = beginOperation(settings.validationTimeout, in: lease) { [self] in
            task.cancel()
            header(of: lease).pointee.abortHandle.take()?.abort()
            core.beginClose(lease)
            closeWhenReturned(lease, check.failure, overdueCall)
            checkFailed(ended)
        }
        let work: @Sendable () async -> Void = { [self] in
            nonisolated(unsafe) var connection = taken
            let isFine = await run(check, &connection)
            guard endOperation(operation, in: lease) else { return overdueCall.end(connection) }
            self.connection(of: lease).initialize(to: connection)
            if !isFine {
                closeInBackground(lease, check.failure)
                return checkFailed(ended)
            }
            health.noteSuccess(now: clock.now)
            header(of: lease).pointee.clear(.isStale)
            if let reason = header(of: lease).pointee.flags(.isRetired).closeReason {
                closeInBackground(lease, reason)
                return checkFailed(ended)
            }
            let needsReconciling = core.release(lease)
            ended(true)
            // After the release, because the connection counts as in internal use until it is idle.
            endInternalUse()
            // After a validation the pool reconciles in any case. A waiter that joined the queue after the release may have
            // missed this connection, and no other one is opened for the waiter while the validation counts.
            if needsReconciling || check == .validation { reconcile() }
            connectionHasOpened()
        }
        task.watch(inheritingTask ? Task { await work() } : Task.detached { await work() })
    }

    private func run(_ check: Check, _ connection: inout Strategy.Connection) async -> Bool {
        do {
            switch check {
            case .validation: return try await strategy.validateConnection(&connection)
            case .reset:
                try await strategy.resetConnection(&connection)
                return true
            }
        } catch {
            return false
        }
    }

    /// Ends a check of a connection that is closing now. A waiter may have counted on the connection.
    private func checkFailed(_ ended: (Bool) -> Void) {
        ended(false)
        endInternalUse()
        reconcile()
    }
}
