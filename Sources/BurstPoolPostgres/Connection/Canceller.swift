// SPDX-License-Identifier: Apache-2.0

import CLibPQ
import Dispatch
import Synchronization

/// Asks the server to cancel the statement that is in progress on one connection.
///
/// The request goes over a connection of its own, which libpq opens and waits for in a blocking call, so it is sent from a
/// thread that may block.
final class Canceller: Sendable {
    private struct Handle: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private enum Phase {
        /// No statement is in progress. A request would hit nobody, or the wrong statement.
        case idle
        /// A statement is in progress.
        case armed
        /// A request is being sent.
        case sending
        /// The server has dealt with a request.
        case sent
    }

    private struct State {
        var phase = Phase.idle
        /// Tells one statement from the next.
        var statementNumber: UInt64 = 0
        var waiter: UnsafeContinuation<Bool, Never>?
    }

    private let handle: Handle
    private let state = Mutex(State())

    init(_ connection: OpaquePointer) throws(PostgresError) {
        guard let pointer = PQgetCancel(connection) else {
            throw PostgresError(.connectFailed, "There is not enough memory for a connection.")
        }
        handle = Handle(pointer: pointer)
    }

    deinit { PQfreeCancel(handle.pointer) }

    /// Allows ``cancel()`` from now on.
    func arm() {
        state.withLock { state in
            state.phase = .armed
            state.statementNumber &+= 1
        }
    }

    /// Whether ``cancel()`` has been called since ``arm()``.
    var isCancelled: Bool {
        state.withLock { $0.phase == .sending || $0.phase == .sent }
    }

    /// Asks the server to cancel the statement in progress. Returns at once.
    ///
    /// - Returns: Whether this is the first call since ``arm()``.
    @discardableResult
    func cancel() -> Bool {
        let number: UInt64? = state.withLock { state in
            guard state.phase == .armed else { return nil }
            state.phase = .sending
            return state.statementNumber
        }
        guard let number else { return false }
        BlockingWork.start { [self] in send(statementNumber: number, pause: Self.firstPause) }
        return true
    }

    /// The server ignores a request that arrives before it has read the statement, so the request is repeated with growing
    /// pauses until the statement has ended.
    private static let firstPause = DispatchTimeInterval.milliseconds(50)

    private func send(statementNumber: UInt64, pause: DispatchTimeInterval) {
        // If the request fails, the statement goes on until the limit of the wait for it ends it.
        clibpq_cancel(handle.pointer)
        let waiter = state.withLock { state in
            state.phase = .sent
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: true)
        BlockingWork.start(after: pause) { [self] in
            let isInProgress = state.withLock { state in
                guard state.phase == .sent, state.statementNumber == statementNumber else { return false }
                state.phase = .sending
                return true
            }
            guard isInProgress, case .milliseconds(let milliseconds) = pause else { return }
            send(statementNumber: statementNumber, pause: .milliseconds(milliseconds * 2))
        }
    }

    /// Ends the time in which ``cancel()`` is allowed.
    ///
    /// Waits until a request that is being sent has been dealt with, for up to `timeout`; then it calls `ifStuck`.
    ///
    /// - Returns: Whether a request has been sent.
    func disarm(timeout: Duration, ifStuck: () -> Void) async -> Bool {
        let phase = state.withLock { state in
            let phase = state.phase
            if phase != .sending { state.phase = .idle }
            return phase
        }
        switch phase {
        case .idle, .armed: return false
        case .sent: return true
        case .sending:
            if await !waitUntilSent(timeout: timeout) { ifStuck() }
            return true
        }
    }

    private func waitUntilSent(timeout: Duration) async -> Bool {
        let wasSent = await withUnsafeContinuation { continuation in
            let number: UInt64? = state.withLock { state in
                guard state.phase == .sending else { return nil }
                state.waiter = continuation
                return state.statementNumber
            }
            guard let number else { return continuation.resume(returning: true) }
            BlockingWork.start(after: .milliseconds(Int(timeout / .milliseconds(1)))) { [self] in
                let waiter = state.withLock { state in
                    guard state.statementNumber == number else { return nil as UnsafeContinuation<Bool, Never>? }
                    defer { state.waiter = nil }
                    return state.waiter
                }
                waiter?.resume(returning: false)
            }
        }
        // A repetition that is due from now on finds no statement.
        state.withLock { if $0.phase == .sent { $0.phase = .idle } }
        return wasSent
    }
}
