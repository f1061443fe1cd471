// SPDX-License-Identifier: Apache-2.0

import Synchronization

// A connection is closed in a task of its own: a strategy that reacts to the cancellation of its caller would leave the
// connection open. The slot is free when the close has ended, or has exceeded its time limit.

extension _PoolEngine {
    /// Closes a connection that is leased.
    @usableFromInline
    func closeInBackground(_ lease: Core.Lease, _ reason: ConnectionCloseReason) {
        core.beginClose(lease)
        closeClosing(lease, reason)
    }

    /// Closes a connection whose lease is in the closing state.
    @usableFromInline
    func closeClosing(_ lease: Core.Lease, _ reason: ConnectionCloseReason) {
        // The slot may hold another connection before the close has ended, so the connection is moved out now. Only this
        // thread has it, and gives it to the task.
        nonisolated(unsafe) let connection = connection(of: lease).move()
        startClosing(lease, reason, for: nil) { connection }
    }

    /// Closes an excess connection after a body that returned, and throws the error of the close.
    @usableFromInline
    func closeAfterRelease(_ excess: Core.Lease) async throws {
        if let error = await closeAndWait(excess, wantsError: true) { throw error }
    }

    /// Closes an excess connection after a body that threw, whose error wins.
    @usableFromInline
    func closeAfterFailure(_ excess: Core.Lease) async {
        _ = await closeAndWait(excess, wantsError: false)
    }

    /// Returns the error of the close, or `nil` if there is none or if the caller was cancelled before the close ended.
    private func closeAndWait(_ excess: Core.Lease, wantsError: Bool) async -> (any Error)? {
        nonisolated(unsafe) let connection = connection(of: excess).move()
        let caller = CloseCaller(wantsError: wantsError)
        startClosing(excess, excessReason, for: caller) { connection }
        return await caller.wait()
    }

    /// Closes a connection when the strategy has returned from a call that has exceeded its limit. The lease is in the
    /// closing state, and the slot is freed after ``ConnectionPoolConfiguration/closeTimeout`` at the latest.
    func closeWhenReturned(
        _ lease: Core.Lease,
        _ reason: ConnectionCloseReason,
        _ overdueCall: OverdueCall<Strategy.Connection>
    ) {
        startClosing(lease, reason, for: nil) { await overdueCall.connection() }
    }

    private func startClosing(
        _ lease: Core.Lease,
        _ reason: ConnectionCloseReason,
        for caller: CloseCaller?,
        _ connection: @escaping @Sendable () async -> sending Strategy.Connection
    ) {
        _ = header(of: lease).pointee.abortHandle.take()
        // The observer is told before the slot is free: after a shutdown, nothing is reported once everything is closed.
        let operation = beginOperation(settings.closeTimeout, in: lease) { [self] in
            events.report(.closeTimedOut(reason))
            freeSlotAfterClose(lease, reason)
            slotIsFree()
            caller?.closeHasEnded()
        }
        Task.detached { [self] in
            var failure: (any Error)?
            do {
                try await strategy.closeConnection(connection())
            } catch {
                failure = error
            }
            let isInTime = endOperation(operation, in: lease)
            let callerGetsError = isInTime && caller?.accept(failure) == true
            events.report(.closed(reason, error: callerGetsError ? nil : failure))
            guard isInTime else { return }
            freeSlotAfterClose(lease, reason)
            slotIsFree()
            caller?.closeHasEnded()
        }
    }
}

/// A caller of `withConnection` whose release led to a close, and who waits for it.
private final class CloseCaller: Sendable {
    private let wantsError: Bool
    private let ended = OneShot()
    /// The error for the caller. The caller takes this right when it is cancelled, and the close when it has an error.
    private let errorClaim = Claim()
    private let error = LatestError()

    init(wantsError: Bool) {
        self.wantsError = wantsError
    }

    /// Returns the error of the close when the close has ended, or `nil` as soon as the task is cancelled.
    func wait() async -> (any Error)? {
        let outcome = await ended.waitUnlessCancelled()
        if outcome == .cancelled, errorClaim.take() { return nil }
        // A cancellation that came after the error was accepted does not lose it.
        return error.load()
    }

    /// Accepts the error for the caller. Returns `false` if there is no error, or if the caller does not want it or has left.
    func accept(_ failure: (any Error)?) -> Bool {
        guard wantsError, let failure else { return false }
        error.store(failure)
        return errorClaim.take()
    }

    func closeHasEnded() {
        ended.fire(.done)
    }
}
