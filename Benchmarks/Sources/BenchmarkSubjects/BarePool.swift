public import Synchronization

/// The least that a pool can do whose callers may have to wait: a lock around the idle connections and a line of continuations.
///
/// A control and no pool for use: nobody can be cancelled or give up, nothing is opened, checked or closed. What it costs
/// to wait here is what Swift takes to suspend a task and to resume it, and no pool in Swift can wait for less.
public final class BarePool<Connection>: Sendable {
    /// The pool passes connections from caller to caller, and vouches for it that each has one user at a time.
    @usableFromInline
    struct Lent: @unchecked Sendable {
        @usableFromInline var connection: Connection

        @inlinable
        init(_ connection: Connection) {
            self.connection = connection
        }
    }

    @usableFromInline typealias Waiter = UnsafeContinuation<Lent, Never>

    @usableFromInline
    struct State: Sendable {
        @usableFromInline var idle: [Lent] = []
        /// The oldest at `first`, then around.
        @usableFromInline var line: [Waiter?]
        @usableFromInline var first = 0
        @usableFromInline var waiting = 0

        init(callers: Int) {
            line = Array(repeating: nil, count: callers)
        }
    }

    @usableFromInline let state: Mutex<State>

    /// - Parameter callers: How many may wait at the same time, at the most.
    public init(callers: Int) {
        state = Mutex(State(callers: callers))
    }

    public func put(_ connection: sending Connection) {
        release(Lent(connection))
    }

    /// All connections, to be closed. Nobody may use any.
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
        let lent = await acquire()
        let result: Result
        do {
            result = try await body(lent.connection)
        } catch {
            release(lent)
            throw error
        }
        release(lent)
        return result
    }

    @inlinable
    nonisolated(nonsending) func acquire() async -> Lent {
        if let lent = state.withLock({ $0.idle.popLast() }) { return lent }
        return await withUnsafeContinuation { (waiter: Waiter) in
            let lent: Lent? = state.withLock { state in
                if let lent = state.idle.popLast() { return lent }
                precondition(state.waiting < state.line.count, "more callers than this pool has room for")
                state.line[(state.first + state.waiting) % state.line.count] = waiter
                state.waiting += 1
                return nil
            }
            if let lent { waiter.resume(returning: lent) }
        }
    }

    @inlinable
    func release(_ lent: Lent) {
        let waiter: Waiter? = state.withLock { state in
            guard state.waiting > 0 else {
                state.idle.append(lent)
                return nil
            }
            let waiter = state.line[state.first]
            state.line[state.first] = nil
            state.first = (state.first + 1) % state.line.count
            state.waiting -= 1
            return waiter
        }
        waiter?.resume(returning: lent)
    }
}
