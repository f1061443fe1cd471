// SPDX-License-Identifier: Apache-2.0

import Synchronization

// The engine of the connections describes and checks the health of a shared pool, because it knows how connections open and fail.
// Here is what it asks about the leases.

extension SharedPoolEngine {
    @usableFromInline
    var health: ConnectionPoolHealth { connections.currentHealth }

    @usableFromInline
    func checkHealth(timeout: Duration) async -> ConnectionPoolHealth {
        await connections.checkHealth(timeout: timeout)
    }

    @usableFromInline
    func waitUntilHealthy(timeout: Duration?) async throws {
        try await connections.waitUntilHealthy(timeout: timeout)
    }

    var earliestWait: UInt64? { waits.earliest }

    func hasReleasedSinceInspection() -> Bool {
        var hasReleased = false
        core.forEachSlot { _, slot in
            if InspectedState.record(slot, in: inspection(of: slot.lease).pointee) { hasReleased = true }
        }
        return hasReleased
    }

    /// Notes that a body has thrown, so that the release of its lease does not count as a success.
    func noteFailedUse(_ lease: Core.Lease) {
        InspectedState.noteFailedUse(inspection(of: lease).pointee, serial: core.serial(of: lease))
    }

    /// The validation has a lease like any caller, at the same time as other callers. If it fails or exceeds
    /// ``ConnectionPoolConfiguration/validationTimeout``, no more leases of the connection begin.
    func startValidation() -> OneShot? {
        guard let lease = takeIdleForValidation() else { return nil }
        if settings.notesLeases {
            record(of: lease).pointee.noteInternalUse()
            record(of: lease).pointee.acquiredAt.store(clock.now, ordering: .releasing)
        }
        let outcome = OneShot()
        Task { [self] in
            let isValid = await validate(connection(of: lease).pointee)
            if !isValid { retire(lease, .isInvalid) }
            noteFailedUse(lease)
            endOrPutBack(lease)
            if isValid { connections.health.noteSuccess(now: clock.now) }
            outcome.fire(isValid ? .done : .failed)
        }
        return outcome
    }

    private func takeIdleForValidation() -> Core.Lease? {
        while let lease = core.tryAcquire() {
            if !endsLease(lease), (try? isOpen(lease)) == true { return lease }
        }
        return nil
    }

    private func validate(_ connection: Strategy.Connection) async -> Bool {
        let answer = OneShot()
        let strategy = strategy
        let validation = Task {
            let isValid = (try? await strategy.validateConnection(connection)) ?? false
            answer.fire(isValid ? .done : .failed)
        }
        let limit = clock.now.addingSaturated(settings.configuration.validationTimeout.nanoseconds)
        let outcome = await clock.wait(for: answer, until: limit)
        if outcome == .timedOut {
            validation.cancel()
            strategy.abortHandle(for: connection)?()
        }
        return outcome == .done
    }
}
