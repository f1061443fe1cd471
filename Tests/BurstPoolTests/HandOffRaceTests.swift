// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Synchronization
import Testing

/// Two operations at the same instant, many times. Serialized, because each test needs both of two CPUs.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct HandOffRaceTests {
    @Test(
        "Nothing is lost if a caller is cancelled at the instant of the hand-off, 100,000 times",
        arguments: CoreKind.allCases
    )
    func cancelAgainstHandOff(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let served = Shared(0)
            let left = Shared(0)
            var lease = try await pool.acquire()
            for round in 0..<100_000 {
                // The waiter runs up to its suspension within this call. The operation that wins the race resumes it.
                let waiter = Task(executorPreference: InlineExecutor()) {
                    do {
                        try await pool.acquire(timeout: .unlimited).release()
                        served.countUp()
                    } catch is CancellationError {
                        left.countUp()
                    }
                }
                let racer = Task.detached {
                    spin(round & 63)
                    waiter.cancel()
                }
                // Sometimes this thread comes first, and sometimes the other one.
                if round & 1 == 0 { await Task.yield() }
                spin((round >> 6) & 63)
                lease.release()
                await racer.value
                try await waiter.value
                guard let again = pool.tryAcquire() else {
                    Issue.record("lost in round \(round): \(pool.statistics)")
                    return
                }
                lease = again
            }
            lease.release()
            #expect(served.value + left.value == 100_000)
            #expect(served.value > 0 && left.value > 0, "served \(served.value), left \(left.value): there was no race")
            #expect(strategy.books.opened == 1)
            #expect(pool.statistics.waiting == 0)
        }
    }

    @Test(
        "Nothing is lost if a caller is cancelled at the instant at which its connection opens",
        arguments: CoreKind.allCases
    )
    func cancelAgainstOpening(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            for round in 0..<2_000 {
                let waiter = Task { try await pool.acquire(timeout: .unlimited) }
                if round & 1 == 0 { await Task.yield() }
                spin(round & 255)
                waiter.cancel()
                if let lease = try? await waiter.value { lease.release() }
                try await eventually("the connection is idle") { pool.statistics.idle == pool.statistics.total }
                // Dead connections make the next round open one again.
                for remote in strategy.books.remotes.suffix(1) { remote.hangUp() }
                try await eventually("the connection is closed") {
                    // Possibly more than once, because a connection is counted as idle just before it can be acquired.
                    _ = pool.tryAcquire()
                    return pool.statistics.total == 0
                }
            }
            #expect(pool.statistics.waiting == 0)
        }
    }

    @Test(
        "Nothing is lost if a timeout passes at the instant of the hand-off, 10,000 times",
        arguments: CoreKind.allCases
    )
    func timeoutAgainstHandOff(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, strategy in
            var lease = try await pool.acquire()
            let served = Shared(0)
            let expired = Shared(0)
            for round in 0..<10_000 {
                let waiter = Task(executorPreference: InlineExecutor()) {
                    do {
                        try await pool.acquire(timeout: .seconds(1)).release()
                        served.countUp()
                    } catch let error as ConnectionPoolError where error.code == .acquireTimedOut {
                        expired.countUp()
                    }
                }
                let racer = Task.detached {
                    spin(round & 127)
                    clock.advance(by: .seconds(1))
                }
                if round & 1 == 0 { await Task.yield() }
                lease.release()
                await racer.value
                try await waiter.value
                guard let again = pool.tryAcquire() else {
                    Issue.record("lost in round \(round): \(pool.statistics)")
                    return
                }
                lease = again
            }
            lease.release()
            #expect(served.value + expired.value == 10_000)
            #expect(served.value > 0 && expired.value > 0, "served \(served.value), expired \(expired.value): no race")
            #expect(strategy.books.opened == 1)
            #expect(pool.statistics.waiting == 0)
        }
    }

    @Test(
        "Nothing is lost if the pool shuts down at the instant of the hand-off, 2,000 times",
        arguments: CoreKind.allCases
    )
    func shutdownAgainstHandOff(kind: CoreKind) async throws {
        for round in 0..<2_000 {
            try await withPool(kind, maxSize: 1) { pool, _ in
                let lease = try await pool.acquire()
                let waiter = Task(executorPreference: InlineExecutor()) {
                    try await pool.acquire(timeout: .unlimited).release()
                }
                let racer = Task.detached {
                    spin(round & 127)
                    await pool.shutdown()
                }
                if round & 1 == 0 { await Task.yield() }
                spin(round & 15)
                lease.release()
                await racer.value
                do {
                    try await waiter.value
                } catch let error as ConnectionPoolError {
                    #expect(error.code == .poolShutDown)
                }
            }
        }
    }

    @Test(
        "A later deadline that is set while the timer runs does not cost an earlier deadline its alarm",
        arguments: CoreKind.allCases
    )
    func timerAtWorkAgainstJoining(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            let lease = try await pool.acquire()
            for round in 0..<2_000 {
                let first = try await pool.startWaiting(timeout: .seconds(1))
                let second = try await pool.startWaiting(timeout: .seconds(9))
                let racer = Task.detached {
                    spin(round & 63)
                    clock.advance(by: .seconds(1))
                }
                if round & 1 == 0 { await Task.yield() }
                spin((round >> 6) & 63)
                let third = Task(executorPreference: InlineExecutor()) {
                    try await pool.acquire(timeout: .seconds(20)).release()
                }
                await racer.value
                _ = try await poolError(.acquireTimedOut) { _ = try await first.value }
                clock.advance(by: .seconds(8))
                // If no timer watches the clock, this line fails, instead of the next one hanging.
                try await eventually("the second caller has left, round \(round)") { pool.statistics.waiting == 1 }
                _ = try await poolError(.acquireTimedOut) { _ = try await second.value }
                third.cancel()
                await #expect(throws: CancellationError.self) { try await third.value }
            }
            lease.release()
        }
    }
}

/// Busy-waits for a few nanoseconds per count.
private func spin(_ count: Int) {
    let cell = Atomic<Int>(0)
    for _ in 0..<count { cell.add(1, ordering: .relaxed) }
}
