extension _PoolEngine {
    /// Closes a connection that is of no more use.
    @usableFromInline
    func closeInBackground(_ lease: Core.Lease, _ reason: ConnectionCloseReason) {
        core.beginClose(lease)
        finishClosingInBackground(lease, reason)
    }

    @usableFromInline
    func finishClosingInBackground(_ lease: Core.Lease, _ reason: ConnectionCloseReason) {
        startClosing(lease, reason)
    }

    /// After a body that returned: closes excess connections, and throws what closing throws.
    @usableFromInline
    func closeAfterReturn(_ excess: Core.Lease) async throws {
        var firstError: (any Error)?
        var next: Core.Lease? = excess
        while let lease = next {
            let error = await finishClosing(lease, throwing: firstError == nil && settings.closeErrors == .thrown)
            firstError = firstError ?? error
            next = reconcile(mayCloseInline: true)
        }
        if let firstError { throw firstError }
    }

    /// After a body that threw, whose error wins.
    @usableFromInline
    func closeAfterFailure(_ excess: Core.Lease) async {
        var next: Core.Lease? = excess
        while let lease = next {
            _ = await finishClosing(lease, throwing: false)
            next = reconcile(mayCloseInline: true)
        }
    }

    /// Returns the error of closing, if it is for the caller.
    private func finishClosing(_ lease: Core.Lease, throwing: Bool) async -> (any Error)? {
        await withUnsafeContinuation { continuation in
            startClosing(lease, excessReason, throwing: throwing) { continuation.resume(returning: $0) }
        }
    }

    /// Why a connection is excess.
    @usableFromInline
    var excessReason: ConnectionCloseReason { core.isShutDown ? .shutdown : .excess }

    /// Closes a connection whose lease is in closing, and frees its place when that has ended or has taken too long. In a
    /// task of its own: a strategy that heeds the cancellation of the caller would leave the connection open.
    ///
    /// - Parameters:
    ///   - throwing: Whether an error is for the caller, and not for the observer.
    ///   - ended: Called when the place is free, with the error if it is for the caller.
    private func startClosing(
        _ lease: Core.Lease,
        _ reason: ConnectionCloseReason,
        throwing: Bool = false,
        ended: (@Sendable ((any Error)?) -> Void)? = nil
    ) {
        _ = header(of: lease).pointee.takeAbortHandle()
        // Out of the slot now, for the place may be another connection's before the close has ended. In one pair of
        // hands: the slot's owner has it, and gives it to the task.
        nonisolated(unsafe) let connection = connection(of: lease).move()
        // Who ends it tells the observer before the place is free: after a shutdown nothing is left to be told.
        let end = Claim()
        let watcher = after(settings.closeTimeout) { [self] in
            guard end.take() else { return }
            observer?.connectionPool(.closeTimedOut(reason))
            core.finishClose(lease)
            placeIsFree()
            ended?(nil)
        }
        Task.detached { [self] in
            var failure: (any Error)?
            do {
                try await strategy.closeConnection(connection)
            } catch {
                failure = error
            }
            watcher?.cancel()
            let isInTime = end.take()
            // A caller that has not waited for it is not told.
            let isCallers = isInTime && throwing
            observer?.connectionPool(.closed(reason, error: isCallers ? nil : failure))
            guard isInTime else { return }
            core.finishClose(lease)
            placeIsFree()
            ended?(isCallers ? failure : nil)
        }
    }

    /// Does something later, unless the task is cancelled before.
    func after(_ duration: Duration?, _ action: @escaping @Sendable () -> Void) -> Task<Void, Never>? {
        guard let duration else { return nil }
        let deadline = PoolClock.deadline(after: duration, from: clock.now)
        guard deadline != .max else { return nil }
        return Task.detached { [clock] in
            do { try await clock.sleep(until: deadline) } catch { return }
            if !Task.isCancelled { action() }
        }
    }
}
