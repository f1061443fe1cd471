// SPDX-License-Identifier: Apache-2.0

/// A pool as people write it by hand: an actor with an array of idle connections and a queue of continuations.
///
/// It serves waiters first come, first served, and a waiter whose task is cancelled leaves the queue.
public actor ActorPool {
    /// The actor passes connections from caller to caller, and guarantees that each has one user at a time.
    private struct Leased: @unchecked Sendable {
        var connection: Connection
    }

    private struct Waiter {
        var number: Int
        var continuation: CheckedContinuation<Leased, any Error>
    }

    private let maxSize: Int
    private let makeConnection: @Sendable () async throws -> sending Connection
    private var idle: [Leased] = []
    private var open = 0
    private var lastNumber = 0
    /// The waiters from `front` on, oldest first. `nil` stands for a waiter that has left.
    private var waiters: [Waiter?] = []
    private var front = 0
    private var indexOfWaiter: [Int: Int] = [:]

    public init(maxSize: Int, makeConnection: @escaping @Sendable () async throws -> sending Connection) {
        self.maxSize = maxSize
        self.makeConnection = makeConnection
    }

    public nonisolated func withConnection<Result>(
        _ body: (Connection) async throws -> sending Result
    ) async throws -> sending Result {
        let leased = try await acquire()
        do {
            let result = try await body(leased.connection)
            await release(leased)
            return result
        } catch {
            await release(leased)
            throw error
        }
    }

    private func acquire() async throws -> Leased {
        if let leased = idle.popLast() { return leased }
        if open < maxSize {
            open += 1
            do {
                return Leased(connection: try await makeConnection())
            } catch {
                open -= 1
                throw error
            }
        }
        lastNumber += 1
        let number = lastNumber
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                wait(number, continuation)
            }
        } onCancel: {
            Task { await self.leave(number) }
        }
    }

    private func wait(_ number: Int, _ continuation: CheckedContinuation<Leased, any Error>) {
        // An earlier cancellation found no waiter to remove from the queue.
        if Task.isCancelled {
            continuation.resume(throwing: CancellationError())
            return
        }
        indexOfWaiter[number] = waiters.count
        waiters.append(Waiter(number: number, continuation: continuation))
    }

    private func leave(_ number: Int) {
        guard let index = indexOfWaiter.removeValue(forKey: number), let waiter = waiters[index] else { return }
        waiters[index] = nil
        waiter.continuation.resume(throwing: CancellationError())
    }

    private func release(_ leased: Leased) {
        while front < waiters.count {
            let oldest = waiters[front]
            waiters[front] = nil
            front += 1
            compact()
            if let oldest {
                indexOfWaiter[oldest.number] = nil
                oldest.continuation.resume(returning: leased)
                return
            }
        }
        idle.append(leased)
    }

    /// Removes the empty entries at the front when they are half of the queue.
    private func compact() {
        guard front > 32, front * 2 > waiters.count else { return }
        waiters.removeFirst(front)
        for (number, index) in indexOfWaiter { indexOfWaiter[number] = index - front }
        front = 0
    }
}
