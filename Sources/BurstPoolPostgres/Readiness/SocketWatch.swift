// SPDX-License-Identifier: Apache-2.0

import CLibPQ
import Synchronization

/// What is known of one socket: whether it has become ready, whether the peer has closed it, and which task waits.
///
/// At most one task waits at a time. All members may be used from any thread.
final class SocketWatch: Sendable {
    enum Wake: Sendable {
        /// The socket may be ready, or has been closed.
        case ready
        /// The limit set by ``limitWaits(until:)`` has passed.
        case timedOut
    }

    private struct State {
        /// A duplicate of libpq's descriptor, for this watch alone; -1 once the watch has ended. libpq closes its own when it
        /// gives the connection up, and then the number may belong to another connection at once.
        var descriptor: Int32
        var token: UInt64 = 0
        var reportsWrites = false
        /// The socket became ready while no task waited.
        var isSignaled = false
        var waiter: UnsafeContinuation<Wake, Never>?
        var limit: ContinuousClock.Instant?
        var whenClosed: (@Sendable () -> Void)?
    }

    private let reactor: Reactor
    private let state: Mutex<State>
    private let closed = Atomic<Bool>(false)

    /// Starts to watch a socket. The connection stays open at least until ``end()``.
    init(socket: Int32, reactor: Reactor) throws(PostgresError) {
        let descriptor = clibpq_duplicate(socket)
        guard descriptor >= 0 else {
            let reason = String(cString: clibpq_last_error())
            throw PostgresError(.connectFailed, "The connection's socket cannot be watched: \(reason).")
        }
        self.reactor = reactor
        state = Mutex(State(descriptor: descriptor))
        do throws(PostgresError) {
            let token = try reactor.add(self, socket: descriptor)
            state.withLock { $0.token = token }
        } catch {
            clibpq_close(descriptor)
            throw error
        }
    }

    /// Whether the peer has closed the connection, or ``sever()`` or ``end()`` has been called.
    var isClosed: Bool { closed.load(ordering: .acquiring) }

    // MARK: - Waiting

    /// Waits until the socket has become ready since the last wait, or the limit has passed.
    func wait() async -> Wake {
        await withUnsafeContinuation { continuation in
            let wake: Wake? = state.withLock { state in
                if state.isSignaled || closed.load(ordering: .relaxed) {
                    state.isSignaled = false
                    return .ready
                }
                state.waiter = continuation
                return nil
            }
            if let wake { continuation.resume(returning: wake) }
        }
    }

    /// Has waits end with `.timedOut` from an instant on. `nil`: no limit.
    func limitWaits(until limit: ContinuousClock.Instant?) {
        state.withLock { $0.limit = limit }
        if limit != nil { reactor.watchDeadlines() }
    }

    /// Has the reactor report when the socket can be written to. Off unless something remains to be sent.
    func setReportsWrites(_ reportsWrites: Bool) {
        state.withLock { state in
            guard state.descriptor >= 0, state.reportsWrites != reportsWrites else { return }
            state.reportsWrites = reportsWrites
            reactor.setReportsWrites(reportsWrites, token: state.token, socket: state.descriptor)
        }
    }

    /// Has a closure called once, from any thread, when the connection is lost. At once, if it has been.
    func whenClosed(_ action: (@Sendable () -> Void)?) {
        let isLate = state.withLock { state in
            let isLate = closed.load(ordering: .relaxed)
            state.whenClosed = isLate ? nil : action
            return isLate
        }
        if isLate { action?() }
    }

    // MARK: - Ending

    /// Shuts the socket down, so that whatever uses it fails at once.
    func sever() {
        let (waiter, action) = state.withLock { state in
            if state.descriptor >= 0 { clibpq_sever(state.descriptor) }
            return close(&state)
        }
        waiter?.resume(returning: .ready)
        action?()
    }

    /// Stops watching.
    func end() {
        let waiter = state.withLock { state in
            guard state.descriptor >= 0 else { return nil as UnsafeContinuation<Wake, Never>? }
            reactor.remove(token: state.token, socket: state.descriptor)
            clibpq_close(state.descriptor)
            state.descriptor = -1
            state.whenClosed = nil
            return close(&state).waiter
        }
        waiter?.resume(returning: .ready)
    }

    private func close(
        _ state: inout sending State
    ) -> (waiter: UnsafeContinuation<Wake, Never>?, action: (@Sendable () -> Void)?) {
        closed.store(true, ordering: .releasing)
        defer { (state.waiter, state.whenClosed) = (nil, nil) }
        return (state.waiter, state.whenClosed)
    }

    // MARK: - Called by the reactor

    func signal(isClosed: Bool) {
        let (waiter, action) = state.withLock { state in
            if isClosed { return close(&state) }
            guard let waiter = state.waiter else {
                state.isSignaled = true
                return (nil, nil)
            }
            state.waiter = nil
            return (waiter, nil)
        }
        waiter?.resume(returning: .ready)
        action?()
    }

    /// Wakes the task that waits if its limit has passed. Returns whether there is a limit.
    func checkDeadline(_ now: ContinuousClock.Instant) -> Bool {
        let (hasLimit, waiter) = state.withLock { state in
            guard let limit = state.limit else { return (false, nil as UnsafeContinuation<Wake, Never>?) }
            guard limit <= now, let waiter = state.waiter else { return (true, nil) }
            state.waiter = nil
            return (true, waiter)
        }
        waiter?.resume(returning: .timedOut)
        return hasLimit
    }
}
