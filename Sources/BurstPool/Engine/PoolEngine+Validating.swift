import Synchronization

extension _PoolEngine {
    /// Validates a connection that the caller has leased, while the caller waits.
    ///
    /// - Returns: Whether it is valid and may be handed out; if not, the lease has ended.
    /// - Throws: `.acquireTimedOut`, or `CancellationError`. The validation goes on, and the connection is idle after it.
    @usableFromInline
    func validate(_ lease: Core.Lease, timeout: Duration?, since began: UInt64) async throws -> Bool {
        let outcome = OneShot()
        startValidating(lease, outcome)
        let elapsed = clock.elapsed(since: began)
        let alarm = after(timeout.map { max($0 - elapsed, .zero) }) { outcome.fire(.timedOut) }
        defer { alarm?.cancel() }
        switch await outcome.waitUnlessCancelled() {
        case .done:
            // It took its time, and by now nothing may be handed out any more: the caller waits in the queue, or is refused.
            guard core.isPaused || core.isShutDown else { return true }
            if core.release(lease) { reconcile() }
            return false
        case .timedOut: throw gaveUp(ConnectionPoolError.acquireTimedOut(timeout: timeout ?? .zero, shortage()), began)
        case .cancelled: throw gaveUp(CancellationError(), began)
        case .failed, .abandoned: return false
        }
    }

    private func gaveUp(_ error: any Error, _ began: UInt64) -> any Error {
        observer?.connectionPool(.acquireFailed(error, waited: clock.elapsed(since: began), wait: nil))
        return error
    }

    /// Validates a connection; whoever waits then gets it.
    @usableFromInline
    func validateInBackground(_ lease: Core.Lease) {
        let outcome = OneShot()
        outcome.fire(.abandoned)
        startValidating(lease, outcome, isInternalUse: true)
    }

    /// - Parameter outcome: Told `.done`, and the lease is the waiting party's, or `.failed`, and it is not. If nobody waits
    ///   any more, the connection is returned or closed.
    private func startValidating(_ lease: Core.Lease, _ outcome: OneShot, isInternalUse: Bool = false) {
        noteInternalUse(lease)
        if isInternalUse { maintenance.internalUse.begin() }
        let inTime = Claim()
        let validation = Canceller()
        // The connection is in use for as long as the strategy uses it, whatever the clock says: it is closed then.
        let watcher = after(settings.validationTimeout) {
            guard inTime.take() else { return }
            validation.cancel()
            outcome.fire(.failed)
        }
        validation.watch(
            Task.detached { [self] in
                let isValid = (try? await strategy.validateConnection(&connection(of: lease).pointee)) ?? false
                watcher?.cancel()
                guard inTime.take(), isValid else {
                    // Before the place is free, for then it is to be replaced.
                    if isInternalUse { endInternalUse() }
                    closeInBackground(lease, .validationFailed)
                    outcome.fire(.failed)
                    return
                }
                header(of: lease).pointee.clear(.isStale)
                let needsReconciling = !outcome.fire(.done) && core.release(lease)
                // Once it is idle, for until then it is to be counted.
                if isInternalUse { endInternalUse() }
                if needsReconciling { reconcile() }
            }
        )
    }
}
