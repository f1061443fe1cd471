// SPDX-License-Identifier: Apache-2.0

import Synchronization

// A connection is closed in a task of its own. In the task of a caller, which may be cancelled, a strategy that reacts to
// cancellation would leave the connection open. The slot is free when the close has ended or has exceeded its time limit.

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
        // The slot may get another connection before the close has ended, so the connection is moved out of it now. Only this
        // thread uses the connection, and passes it to the task.
        nonisolated(unsafe) let connection = connection(of: lease).move()
        startClosing(lease, reason, for: nil) { connection }
    }

    /// Closes an excess connection after a body that returned, and throws the error of the close.
    @usableFromInline
    func closeAfterRelease(_ excess: Core.Lease) async throws {
        if let error = await closeAndWait(excess, wantsError: true) { throw error }
    }

    /// Closes an excess connection after a body that threw. The caller gets the error of the body and not that of the close.
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

    /// Closes a connection as soon as the strategy returns from a call that has exceeded its time limit. The lease is in the
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
        // The close is reported before the slot is free, so that after a shutdown no event follows when all slots are free.
        let operation = beginOperation(settings.closeTimeout, in: lease) { [self] in
            events.report(.closeTimedOut(reason))
            let abortHandle = header(of: lease).pointee.abortHandle.take()
            freeSlotAfterClose(lease, reason)
            abortHandle?.abort()
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
            _ = header(of: lease).pointee.abortHandle.take()
            freeSlotAfterClose(lease, reason)
            slotIsFree()
            caller?.closeHasEnded()
        }
    }
}

/// A caller of `withConnection` that waits for the close to which its release has led.
private final class CloseCaller: Sendable {
    private let wantsError: Bool
    private let ended = OneShot()
    /// Taken by the close when it has an error for the caller, or by the caller when it is cancelled, whichever comes first.
    private let errorClaim = Claim()
    /// The error for the caller.
    private let error = LatestError()

    init(wantsError: Bool) {
        self.wantsError = wantsError
    }

    /// Returns the error of the close when the close has ended, or `nil` as soon as the task is cancelled.
    func wait() async -> (any Error)? {
        let outcome = await ended.waitUnlessCancelled()
        if outcome == .cancelled, errorClaim.take() { return nil }
        // If the task was cancelled after the close had claimed the error, the caller still gets the error.
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
