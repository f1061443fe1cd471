// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A pool as people write it by hand who know that actors are slow: a lock around an array of idle connections and a
/// queue of continuations.
public final class HandWrittenMutexPool: Sendable {
    /// The pool passes connections from caller to caller, and guarantees that each has one user at a time.
    private struct Leased: @unchecked Sendable {
        var connection: Connection
    }

    private struct State: Sendable {
        var idle: [Leased] = []
        var open = 0
        var lastNumber = 0
        /// The waiters from `front` on, oldest first. Their continuations are stored by number until they leave.
        var queue: [Int] = []
        var front = 0
        var continuations: [Int: CheckedContinuation<Leased, any Error>] = [:]
    }

    private let state = Mutex(State())
    private let maxSize: Int
    private let makeConnection: @Sendable () async throws -> sending Connection

    public init(maxSize: Int, makeConnection: @escaping @Sendable () async throws -> sending Connection) {
        self.maxSize = maxSize
        self.makeConnection = makeConnection
    }

    public func withConnection<Result>(
        _ body: (Connection) async throws -> sending Result
    ) async throws -> sending Result {
        let leased = try await acquire()
        defer { release(leased) }
        return try await body(leased.connection)
    }

    private enum Decision {
        case take(Leased)
        case open
        case wait(Int)
    }

    private func acquire() async throws -> Leased {
        let decision: Decision = state.withLock { state in
            if let leased = state.idle.popLast() { return .take(leased) }
            if state.open < maxSize {
                state.open += 1
                return .open
            }
            state.lastNumber += 1
            return .wait(state.lastNumber)
        }
        switch decision {
        case .take(let leased):
            return leased
        case .open:
            do {
                return Leased(connection: try await makeConnection())
            } catch {
                state.withLock { $0.open -= 1 }
                throw error
            }
        case .wait(let number):
            return try await wait(number)
        }
    }

    private func wait(_ number: Int) async throws -> Leased {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // A connection may have been released since the decision to wait.
                let leased: Leased? = state.withLock { state in
                    if let leased = state.idle.popLast() { return leased }
                    state.queue.append(number)
                    state.continuations[number] = continuation
                    return nil
                }
                if let leased { continuation.resume(returning: leased) }
                if Task.isCancelled { leave(number) }
            }
        } onCancel: {
            leave(number)
        }
    }

    private func leave(_ number: Int) {
        let continuation = state.withLock { $0.continuations.removeValue(forKey: number) }
        continuation?.resume(throwing: CancellationError())
    }

    private func release(_ leased: Leased) {
        let next: CheckedContinuation<Leased, any Error>? = state.withLock { state in
            while state.front < state.queue.count {
                let number = state.queue[state.front]
                state.front += 1
                if state.front > 64, state.front * 2 > state.queue.count {
                    state.queue.removeFirst(state.front)
                    state.front = 0
                }
                if let continuation = state.continuations.removeValue(forKey: number) { return continuation }
            }
            state.idle.append(leased)
            return nil
        }
        next?.resume(returning: leased)
    }
}
