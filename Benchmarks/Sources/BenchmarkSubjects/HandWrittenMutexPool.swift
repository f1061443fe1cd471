import Synchronization

/// A pool as people write it by hand who know that actors are slow: a lock around an array of idle connections and a line
/// of continuations.
public final class HandWrittenMutexPool: Sendable {
    /// The pool passes connections from caller to caller, and vouches for it that each has one user at a time.
    private struct Lent: @unchecked Sendable {
        var connection: Connection
    }

    private struct State: Sendable {
        var idle: [Lent] = []
        var open = 0
        var lastNumber = 0
        /// Those who wait, oldest first from `front` on; their continuations by number, until they have gone.
        var line: [Int] = []
        var front = 0
        var continuations: [Int: CheckedContinuation<Lent, any Error>] = [:]
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
        let lent = try await acquire()
        defer { release(lent) }
        return try await body(lent.connection)
    }

    private enum Decision {
        case take(Lent)
        case open
        case wait(Int)
    }

    private func acquire() async throws -> Lent {
        let decision: Decision = state.withLock { state in
            if let lent = state.idle.popLast() { return .take(lent) }
            if state.open < maxSize {
                state.open += 1
                return .open
            }
            state.lastNumber += 1
            return .wait(state.lastNumber)
        }
        switch decision {
        case .take(let lent):
            return lent
        case .open:
            do {
                return Lent(connection: try await makeConnection())
            } catch {
                state.withLock { $0.open -= 1 }
                throw error
            }
        case .wait(let number):
            return try await wait(number)
        }
    }

    private func wait(_ number: Int) async throws -> Lent {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // One may have come back since the decision to wait.
                let lent: Lent? = state.withLock { state in
                    if let lent = state.idle.popLast() { return lent }
                    state.line.append(number)
                    state.continuations[number] = continuation
                    return nil
                }
                if let lent { continuation.resume(returning: lent) }
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

    private func release(_ lent: Lent) {
        let next: CheckedContinuation<Lent, any Error>? = state.withLock { state in
            while state.front < state.line.count {
                let number = state.line[state.front]
                state.front += 1
                if state.front > 64, state.front * 2 > state.line.count {
                    state.line.removeFirst(state.front)
                    state.front = 0
                }
                if let continuation = state.continuations.removeValue(forKey: number) { return continuation }
            }
            state.idle.append(lent)
            return nil
        }
        next?.resume(returning: lent)
    }
}
