/// A pool as people write it by hand: an actor with an array of idle connections and a line of continuations.
///
/// It serves waiters first come first served, and a waiter whose task is cancelled leaves the line.
public actor ActorPool {
    /// The actor passes connections from caller to caller, and vouches for it that each has one user at a time.
    private struct Lent: @unchecked Sendable {
        var connection: Connection
    }

    private struct Waiter {
        var number: Int
        var continuation: CheckedContinuation<Lent, any Error>
    }

    private let maxSize: Int
    private let makeConnection: @Sendable () async throws -> sending Connection
    private var idle: [Lent] = []
    private var open = 0
    private var lastNumber = 0
    /// Those who wait, oldest first from `front` on; `nil` where one has left.
    private var waiters: [Waiter?] = []
    private var front = 0
    private var placeOfWaiter: [Int: Int] = [:]

    public init(maxSize: Int, makeConnection: @escaping @Sendable () async throws -> sending Connection) {
        self.maxSize = maxSize
        self.makeConnection = makeConnection
    }

    public nonisolated func withConnection<Result>(
        _ body: (Connection) async throws -> sending Result
    ) async throws -> sending Result {
        let lent = try await acquire()
        do {
            let result = try await body(lent.connection)
            await release(lent)
            return result
        } catch {
            await release(lent)
            throw error
        }
    }

    private func acquire() async throws -> Lent {
        if let lent = idle.popLast() { return lent }
        if open < maxSize {
            open += 1
            do {
                return Lent(connection: try await makeConnection())
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

    private func wait(_ number: Int, _ continuation: CheckedContinuation<Lent, any Error>) {
        // A cancellation that came before this found nobody to take out of the line.
        if Task.isCancelled {
            continuation.resume(throwing: CancellationError())
            return
        }
        placeOfWaiter[number] = waiters.count
        waiters.append(Waiter(number: number, continuation: continuation))
    }

    private func leave(_ number: Int) {
        guard let place = placeOfWaiter.removeValue(forKey: number), let waiter = waiters[place] else { return }
        waiters[place] = nil
        waiter.continuation.resume(throwing: CancellationError())
    }

    private func release(_ lent: Lent) {
        while front < waiters.count {
            let oldest = waiters[front]
            waiters[front] = nil
            front += 1
            tidy()
            if let oldest {
                placeOfWaiter[oldest.number] = nil
                oldest.continuation.resume(returning: lent)
                return
            }
        }
        idle.append(lent)
    }

    /// Forgets the places in front, once they are half of the line.
    private func tidy() {
        guard front > 32, front * 2 > waiters.count else { return }
        waiters.removeFirst(front)
        for (number, place) in placeOfWaiter { placeOfWaiter[number] = place - front }
        front = 0
    }
}
