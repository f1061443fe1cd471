// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct LoadSheddingTests {
    private func withLoadShedding(
        _ kind: CoreKind,
        _ test: (TestPool, ManualClock, RecordingObserver) async throws -> Void
    ) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.loadShedding = ConnectionLoadShedding() }) {
            pool,
            _,
            clock,
            observer in
            try await test(pool, clock, observer)
        }
    }

    @Test(
        "A caller that joins a queue that has been standing for the interval waits at most for the target",
        arguments: CoreKind.allCases
    )
    func standing(kind: CoreKind) async throws {
        try await withLoadShedding(kind) { pool, clock, observer in
            let lease = try await pool.acquire()
            let first = try await pool.startWaiting()
            clock.advance(by: .milliseconds(101))
            let late = try await pool.startWaiting()
            let patient = try await pool.startWaiting(timeout: .seconds(30))
            clock.advance(by: .milliseconds(4))
            await letOthersRun()
            #expect(pool.statistics.waiting == 3)
            clock.advance(by: .milliseconds(1))
            for waiter in [late, patient] {
                let error = try await poolError(.overloaded) { _ = try await waiter.value }
                #expect(error.timeout == .milliseconds(5))
                #expect(error.statistics?.inUse == 1)
            }
            let shed = observer.all {
                if case .acquireFailed(let error as ConnectionPoolError, _, _) = $0 { error.code } else { nil }
            }
            #expect(shed == [.overloaded, .overloaded])
            lease.release()
            try await first.value.release()
        }
    }

    @Test("A caller that joins before that waits for its own timeout", arguments: CoreKind.allCases)
    func notYetStanding(kind: CoreKind) async throws {
        try await withLoadShedding(kind) { pool, clock, _ in
            let lease = try await pool.acquire()
            let first = try await pool.startWaiting()
            clock.advance(by: .milliseconds(100))
            let second = try await pool.startWaiting()
            clock.advance(by: .seconds(3600))
            await letOthersRun()
            #expect(pool.statistics.waiting == 2)
            lease.release()
            try await first.value.release()
            try await second.value.release()
        }
    }

    @Test("A queue that was empty in time is not standing", arguments: CoreKind.allCases)
    func emptied(kind: CoreKind) async throws {
        try await withLoadShedding(kind) { pool, clock, _ in
            let lease = try await pool.acquire()
            let first = try await pool.startWaiting()
            clock.advance(by: .milliseconds(200))
            lease.release()
            let again = try await first.value
            let second = try await pool.startWaiting()
            let third = try await pool.startWaiting()
            clock.advance(by: .seconds(10))
            await letOthersRun()
            #expect(pool.statistics.waiting == 2)
            again.release()
            try await second.value.release()
            try await third.value.release()
        }
    }

    @Test("A queue that was standing recently stands again after the target", arguments: CoreKind.allCases)
    func standingAgain(kind: CoreKind) async throws {
        try await withLoadShedding(kind) { pool, clock, _ in
            var lease = try await pool.acquire()
            var first = try await pool.startWaiting()
            clock.advance(by: .milliseconds(101))
            let late = try await pool.startWaiting()
            clock.advance(by: .milliseconds(5))
            _ = try await poolError(.overloaded) { _ = try await late.value }

            // The queue is empty for a moment, and then not for 6 ms.
            lease.release()
            lease = try await first.value
            first = try await pool.startWaiting()
            clock.advance(by: .milliseconds(6))
            let lateAgain = try await pool.startWaiting()
            clock.advance(by: .milliseconds(5))
            _ = try await poolError(.overloaded) { _ = try await lateAgain.value }

            // The same after a second without waiters.
            lease.release()
            lease = try await first.value
            clock.advance(by: .seconds(1))
            first = try await pool.startWaiting()
            clock.advance(by: .milliseconds(6))
            let lateOnce = try await pool.startWaiting()
            clock.advance(by: .milliseconds(5))
            _ = try await poolError(.overloaded) { _ = try await lateOnce.value }

            // But that does not prolong the state. More than sixteen intervals after the queue was standing without a
            // break, it ends.
            lease.release()
            lease = try await first.value
            clock.advance(by: .milliseconds(700))
            first = try await pool.startWaiting()
            clock.advance(by: .milliseconds(6))
            let patient = try await pool.startWaiting()
            clock.advance(by: .seconds(10))
            await letOthersRun()
            #expect(pool.statistics.waiting == 2)
            lease.release()
            try await first.value.release()
            try await patient.value.release()
        }
    }

    @Test("A caller with a shorter timeout of its own gets acquireTimedOut", arguments: CoreKind.allCases)
    func ownTimeout(kind: CoreKind) async throws {
        try await withLoadShedding(kind) { pool, clock, observer in
            let lease = try await pool.acquire()
            let first = try await pool.startWaiting()
            clock.advance(by: .milliseconds(101))
            let hasty = try await pool.startWaiting(timeout: .milliseconds(3))
            clock.advance(by: .milliseconds(3))
            let error = try await poolError(.acquireTimedOut) { _ = try await hasty.value }
            #expect(error.timeout == .milliseconds(3))
            let errors = observer.all {
                if case .acquireFailed(let error as ConnectionPoolError, _, _) = $0 { error.code } else { nil }
            }
            #expect(errors == [.acquireTimedOut])
            lease.release()
            try await first.value.release()
        }
    }
}
