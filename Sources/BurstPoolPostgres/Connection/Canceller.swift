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
        /// The request is being sent.
        case sending
        /// The server has dealt with the request.
        case sent
    }

    private struct State {
        var phase = Phase.idle
        /// Tells one wait for ``Phase/sent`` from the next.
        var waitNumber = 0
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
        state.withLock { $0.phase = .armed }
    }

    /// Whether ``cancel()`` has been called since ``arm()``.
    var isCancelled: Bool {
        state.withLock { $0.phase == .sending || $0.phase == .sent }
    }

    /// Sends a request for the statement in progress, once. Returns at once.
    func cancel() {
        let isFirst = state.withLock { state in
            guard state.phase == .armed else { return false }
            state.phase = .sending
            return true
        }
        guard isFirst else { return }
        BlockingWork.start { [self] in
            var reason = [CChar](repeating: 0, count: 256)
            // Where the request fails, the statement goes on, and the limit of the wait for it ends it.
            PQcancel(handle.pointer, &reason, Int32(reason.count))
            let waiter = state.withLock { state in
                state.phase = .sent
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(returning: true)
        }
    }

    /// Ends the time in which ``cancel()`` is allowed.
    ///
    /// Waits until a request that is being sent has been dealt with, for up to `timeout`; then it calls `ifStuck`.
    ///
    /// - Returns: Whether a request has been sent.
    func disarm(timeout: Duration, ifStuck: () -> Void) async -> Bool {
        let phase = state.withLock { state in
            if state.phase == .armed { state.phase = .idle }
            return state.phase
        }
        if phase == .idle { return false }
        if await waitUntilSent(timeout: timeout) {
            state.withLock { $0.phase = .idle }
        } else {
            ifStuck()
        }
        return true
    }

    private func waitUntilSent(timeout: Duration) async -> Bool {
        await withUnsafeContinuation { continuation in
            let number: Int? = state.withLock { state in
                guard state.phase == .sending else { return nil }
                state.waiter = continuation
                state.waitNumber += 1
                return state.waitNumber
            }
            guard let number else { return continuation.resume(returning: true) }
            let milliseconds = Int(timeout / .milliseconds(1))
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [self] in
                let waiter = state.withLock { state in
                    guard state.waitNumber == number else { return nil as UnsafeContinuation<Bool, Never>? }
                    defer { state.waiter = nil }
                    return state.waiter
                }
                waiter?.resume(returning: false)
            }
        }
    }
}
