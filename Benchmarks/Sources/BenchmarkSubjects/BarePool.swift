// SPDX-License-Identifier: Apache-2.0

public import Synchronization

/// The least that a pool must do whose callers may wait: a lock around the idle connections and a queue of
/// continuations.
///
/// A control for comparison, not a pool for use: callers cannot be cancelled or time out, and nothing is opened,
/// checked or closed. The cost of a wait here is what Swift needs to suspend a task and to resume it. No pool in Swift
/// can wait for less.
public final class BarePool<Connection>: Sendable {
    /// The pool passes connections from caller to caller, and guarantees that each has one user at a time.
    @usableFromInline
    struct Leased: @unchecked Sendable {
        @usableFromInline var connection: Connection

        @inlinable
        init(_ connection: Connection) {
            self.connection = connection
        }
    }

    @usableFromInline typealias Waiter = UnsafeContinuation<Leased, Never>

    @usableFromInline
    struct State: Sendable {
        @usableFromInline var idle: [Leased] = []
        /// A ring buffer. The oldest waiter is at `first`.
        @usableFromInline var queue: [Waiter?]
        @usableFromInline var first = 0
        @usableFromInline var waiting = 0

        init(callers: Int) {
            queue = Array(repeating: nil, count: callers)
        }
    }

    @usableFromInline let state: Mutex<State>

    /// - Parameter callers: The maximum number of callers that wait at the same time.
    public init(callers: Int) {
        state = Mutex(State(callers: callers))
    }

    public func put(_ connection: sending Connection) {
        release(Leased(connection))
    }

    /// Returns all connections, so that they can be closed. No connection may be in use.
    public func takeAll() -> [Connection] {
        state.withLock { state in
            let all = state.idle
            state.idle = []
            return all
        }
        .map(\.connection)
    }

    @inlinable
    public nonisolated(nonsending) func withConnection<Result>(
        _ body: nonisolated(nonsending) (Connection) async throws -> sending Result
    ) async throws -> sending Result {
        let leased = await acquire()
        let result: Result
        do {
            result = try await body(leased.connection)
        } catch {
            release(leased)
            throw error
        }
        release(leased)
        return result
    }

    @inlinable
    nonisolated(nonsending) func acquire() async -> Leased {
        if let leased = state.withLock({ $0.idle.popLast() }) { return leased }
        return await withUnsafeContinuation { (waiter: Waiter) in
            let leased: Leased? = state.withLock { state in
                if let leased = state.idle.popLast() { return leased }
                precondition(state.waiting < state.queue.count, "more callers than this pool has room for")
                state.queue[(state.first + state.waiting) % state.queue.count] = waiter
                state.waiting += 1
                return nil
            }
            if let leased { waiter.resume(returning: leased) }
        }
    }

    @inlinable
    func release(_ leased: Leased) {
        let waiter: Waiter? = state.withLock { state in
            guard state.waiting > 0 else {
                state.idle.append(leased)
                return nil
            }
            let waiter = state.queue[state.first]
            state.queue[state.first] = nil
            state.first = (state.first + 1) % state.queue.count
            state.waiting -= 1
            return waiter
        }
        waiter?.resume(returning: leased)
    }
}
