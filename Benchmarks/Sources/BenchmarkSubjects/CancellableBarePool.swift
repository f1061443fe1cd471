// SPDX-License-Identifier: Apache-2.0

public import Synchronization

/// ``BarePool`` with callers that can be cancelled, and nothing else.
///
/// A control for comparison, not a pool for use. A caller reserves its place in the queue with the lock that it takes to look
/// for an idle connection. So a cancellation that comes before the continuation exists finds the place, too.
public final class CancellableBarePool<Connection>: Sendable {
    /// The pool passes connections from caller to caller, and guarantees that each has one user at a time.
    @usableFromInline
    struct Leased: @unchecked Sendable {
        @usableFromInline var connection: Connection

        @inlinable
        init(_ connection: Connection) {
            self.connection = connection
        }
    }

    @usableFromInline typealias Waiter = UnsafeContinuation<Leased, any Error>

    @usableFromInline
    enum Place: Sendable {
        case empty
        case reserved
        case waiting(Waiter)
        /// A connection was released before the continuation existed.
        case served(Leased)
    }

    @usableFromInline
    struct State: Sendable {
        @usableFromInline var idle: [Leased] = []
        /// A ring buffer. A number modulo its size is a place.
        @usableFromInline var queue: [Place]
        /// The number of the oldest place in use, and that of the next one.
        @usableFromInline var first = 0
        @usableFromInline var end = 0

        init(callers: Int) {
            queue = Array(repeating: .empty, count: 2 * callers)
        }
    }

    @usableFromInline
    enum Decision: Sendable {
        case take(Leased)
        case wait(number: Int)
    }

    @usableFromInline let state: Mutex<State>

    /// - Parameter callers: The maximum number of callers that wait at the same time.
    public init(callers: Int) {
        state = Mutex(State(callers: callers))
    }

    public func put(_ connection: sending Connection) {
        release(Leased(connection))
    }

    @inlinable
    public nonisolated(nonsending) func withConnection<Result>(
        _ body: nonisolated(nonsending) (Connection) async throws -> sending Result
    ) async throws -> sending Result {
        let leased = try await acquire()
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
    nonisolated(nonsending) func acquire() async throws -> Leased {
        let decision: Decision = state.withLock { state in
            if let leased = state.idle.popLast() { return .take(leased) }
            // A caller that was served early keeps its place until its continuation exists.
            while case .served = state.queue[state.end % state.queue.count] { state.end += 1 }
            precondition(state.end - state.first < state.queue.count, "more callers than this pool has room for")
            state.queue[state.end % state.queue.count] = .reserved
            state.end += 1
            return .wait(number: state.end - 1)
        }
        switch decision {
        case .take(let leased): return leased
        case .wait(let number): return try await wait(number)
        }
    }

    @inlinable
    nonisolated(nonsending) func wait(_ number: Int) async throws -> Leased {
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { (waiter: Waiter) in
                let early: Result<Leased, any Error>? = state.withLock { state in
                    let place = number % state.queue.count
                    switch state.queue[place] {
                    case .reserved:
                        state.queue[place] = .waiting(waiter)
                        return nil
                    case .served(let leased):
                        state.queue[place] = .empty
                        return .success(leased)
                    case .empty, .waiting:
                        return .failure(CancellationError())
                    }
                }
                if let early { waiter.resume(with: early) }
            }
        } onCancel: {
            leave(number)
        }
    }

    @usableFromInline
    func leave(_ number: Int) {
        let waiter: Waiter? = state.withLock { state in
            guard number >= state.first else { return nil }
            let place = number % state.queue.count
            switch state.queue[place] {
            case .waiting(let waiter):
                state.queue[place] = .empty
                return waiter
            case .reserved:
                state.queue[place] = .empty
                return nil
            case .empty, .served:
                return nil
            }
        }
        waiter?.resume(throwing: CancellationError())
    }

    @inlinable
    func release(_ leased: Leased) {
        let waiter: Waiter? = state.withLock { state in
            while state.first < state.end {
                let place = state.first % state.queue.count
                state.first += 1
                switch state.queue[place] {
                case .waiting(let waiter):
                    state.queue[place] = .empty
                    return waiter
                case .reserved:
                    state.queue[place] = .served(leased)
                    return nil
                case .empty, .served:
                    continue
                }
            }
            state.idle.append(leased)
            return nil
        }
        waiter?.resume(returning: leased)
    }
}
