import Synchronization

/// How many connections are being validated for callers that wait.
@usableFromInline
final class Validations: Sendable {
    private let count = Atomic(0)

    /// The number of connections that will serve a waiter if they are valid. Every validation that ends is followed by
    /// reconciling, so a waiter that counts on one is never forgotten.
    @usableFromInline var forWaiters: Int { count.load(ordering: .sequentiallyConsistent) }

    func begin() { count.add(1, ordering: .sequentiallyConsistent) }

    func end() { count.subtract(1, ordering: .sequentiallyConsistent) }
}

// A validation or a reset uses a connection in a task of its own. The connection is moved out of its slot for that time, so
// that the slot can be freed although the strategy does not return.

extension _PoolEngine {
    /// Validates a connection for the oldest waiter.
    ///
    /// - Parameter inheritingTask: Whether the validation gets the current task's task-local values and priority.
    @usableFromInline
    func validateForWaiter(_ lease: Core.Lease, inheritingTask: Bool = false) {
        validations.begin()
        use(lease, .validationFailed, inheritingTask: inheritingTask, { [strategy] in try await strategy.validate(&$0) }) {
            [self] in
            validations.end()
        }
    }

    /// Validates an idle connection that maintenance has taken.
    func validateInBackground(_ lease: Core.Lease) {
        use(lease, .validationFailed, inheritingTask: false, { [strategy] in try await strategy.validate(&$0) })
    }

    /// Validates a connection, and returns whether it works. The connection is idle or closed afterwards.
    func validateAndWait(_ lease: Core.Lease) async -> Bool {
        let outcome = OneShot()
        use(lease, .validationFailed, inheritingTask: true, { [strategy] in
            try await strategy.validate(&$0)
            outcome.fire(.done)
        }) { outcome.fire(.failed) }
        return await outcome.waitUnlessCancelled() == .done
    }

    /// Resets a connection that was released.
    func reset(_ lease: Core.Lease) {
        use(lease, .resetFailed, inheritingTask: false, { [strategy] in try await strategy.resetConnection(&$0) })
    }

    /// Lets the strategy use a connection, and then releases it, or closes it if the call has thrown.
    ///
    /// A call that exceeds the limit is cancelled, and the connection is aborted and closed. If the call then still does
    /// not return, the slot is free after ``ConnectionPoolConfiguration/closeTimeout`` all the same.
    ///
    /// - Parameters:
    ///   - failure: The reason to close the connection if the call throws or exceeds its limit.
    ///   - call: Uses the connection; throws if it does not work.
    ///   - ended: Called when the connection is about to be idle, or closing.
    private func use(
        _ lease: Core.Lease,
        _ failure: ConnectionCloseReason,
        inheritingTask: Bool,
        _ call: @escaping @Sendable (inout Strategy.Connection) async throws -> Void,
        ended: @escaping @Sendable () -> Void = {}
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
            closeWhenReturned(lease, failure, overdueCall)
            endUse(ended)
        }
        let work: @Sendable () async -> Void = { [self] in
            nonisolated(unsafe) var connection = taken
            var hasFailed = false
            do { try await call(&connection) } catch { hasFailed = true }
            guard endOperation(operation, in: lease) else { return overdueCall.end(connection) }
            self.connection(of: lease).initialize(to: connection)
            if hasFailed {
                closeInBackground(lease, failure)
                return endUse(ended)
            }
            header(of: lease).pointee.clear(.isStale)
            let flags = header(of: lease).pointee.flags(.isRetired)
            if let reason = flags.closeReason {
                closeInBackground(lease, reason)
                return endUse(ended)
            }
            ended()
            let needsReconciling = core.release(lease)
            // Once the connection is idle: until then it counts as in internal use.
            endInternalUse()
            if needsReconciling { reconcile() }
            connectionHasOpened()
        }
        task.watch(inheritingTask ? Task { await work() } : Task.detached { await work() })
    }

    /// Ends the use of a connection that did not work. A waiter may have counted on it.
    private func endUse(_ ended: () -> Void) {
        ended()
        endInternalUse()
        reconcile()
    }
}

/// A validation that has answered `false`.
private struct ConnectionIsInvalid: Error {}

extension ConnectionStrategy {
    /// Validates a connection, and throws if it does not work.
    fileprivate func validate(_ connection: inout Connection) async throws {
        guard try await validateConnection(&connection) else { throw ConnectionIsInvalid() }
    }
}
