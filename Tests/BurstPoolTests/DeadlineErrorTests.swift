// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct DeadlineErrorTests {
    @Test(
        "The error says how long the caller waited, and what the connections were doing",
        arguments: CoreKind.allCases
    )
    func timeoutAndCounts(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 2, burstLimit: 3, configure: { $0.clock = clock }) { pool, strategy in
            let leases = try await pool.lease(2)
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let first = try await pool.startWaiting(timeout: .unlimited)
            let waiter = try await pool.startWaiting(timeout: .seconds(5))
            clock.advance(by: .seconds(5))
            let error = try await poolError(.acquireTimedOut) { _ = try await waiter.value }
            #expect(error.timeout == .seconds(5))
            let statistics = try #require(error.statistics)
            #expect(statistics.inUse == 2)
            #expect(statistics.opening == 1)
            #expect(statistics.total == 3)
            #expect(statistics.maxSize == 2)
            #expect(statistics.burstLimit == 3)
            for part in ["5.0 seconds", "2 in use", "1 opening", "maxSize 2", "burstLimit 3"] {
                #expect(error.message.contains(part))
            }
            #expect("\(error)".contains("acquireTimedOut"))
            #expect("\(error)".contains(error.message))
            gate.open()
            leases.release()
            try await first.value.release()
        }
    }

    @Test("The error says how long the oldest lease has been held", arguments: CoreKind.allCases)
    func oldestLease(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 2, configure: { $0.clock = clock }) { pool, _ in
            let leases = try await pool.lease(2)
            // The pool looks at leases when a caller begins to wait, so it knows their age from then on.
            let first = try await pool.startWaiting(timeout: .seconds(10))
            clock.advance(by: .seconds(10))
            let error = try await poolError(.acquireTimedOut) { _ = try await first.value }
            #expect(error.oldestLeaseAge == .seconds(10))
            #expect(error.message.contains("10.0 seconds"))
            let second = try await pool.startWaiting(timeout: .seconds(3))
            clock.advance(by: .seconds(3))
            let later = try await poolError(.acquireTimedOut) { _ = try await second.value }
            #expect(later.oldestLeaseAge == .seconds(13))
            leases.release()
        }
    }

    @Test(
        "The pool knows the age of a lease that began shortly after another caller began to wait",
        arguments: CoreKind.allCases
    )
    func leaseTakenAfterAWait(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            let first = try await pool.acquire()
            let waiter = try await pool.startWaiting(timeout: .unlimited)
            clock.advance(by: .milliseconds(1))
            first.release()
            let second = try await waiter.value
            let late = try await pool.startWaiting(timeout: .seconds(30))
            clock.advance(by: .seconds(30))
            let error = try await poolError(.acquireTimedOut) { _ = try await late.value }
            #expect(error.oldestLeaseAge == .seconds(30))
            second.release()
        }
    }

    @Test(
        "When the oldest lease was released, the error gives the age of the next oldest",
        arguments: CoreKind.allCases
    )
    func nextOldestLease(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 2, configure: { $0.clock = clock }) { pool, _ in
            let old = try await pool.lease(2)
            let waiter = try await pool.startWaiting(timeout: .unlimited)
            clock.advance(by: .seconds(100))
            old[0].release()
            let young = try await waiter.value
            old[1].release()
            let other = try await pool.acquire()
            let late = try await pool.startWaiting(timeout: .seconds(4))
            clock.advance(by: .seconds(4))
            let error = try await poolError(.acquireTimedOut) { _ = try await late.value }
            #expect(error.oldestLeaseAge == .seconds(4))
            [young, other].release()
        }
    }

    @Test(
        "If no connection is in use, the error has no age, and includes the latest connect error",
        arguments: CoreKind.allCases
    )
    func lastConnectError(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { attempt in
                if attempt == 1 { throw TestError("connection refused by db-7") }
                await gate.pass()
            }
            await #expect(throws: TestError.self) { try await pool.acquire() }
            let waiter = try await pool.startWaiting(timeout: .seconds(1))
            clock.advance(by: .seconds(1))
            let error = try await poolError(.acquireTimedOut) { _ = try await waiter.value }
            #expect(error.underlyingError as? TestError == TestError("connection refused by db-7"))
            #expect(error.message.contains("connection refused by db-7"))
            #expect(error.oldestLeaseAge == nil)
            gate.open()
            try await eventually("the connection is open") { pool.statistics.idle == 1 }
        }
    }

    @Test("A connect error from before the latest successful connect is not included", arguments: CoreKind.allCases)
    func forgetsOldConnectErrors(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, strategy in
            strategy.onOpen { attempt in if attempt == 1 { throw TestError("refused") } }
            await #expect(throws: TestError.self) { try await pool.acquire() }
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting(timeout: .seconds(1))
            clock.advance(by: .seconds(1))
            let error = try await poolError(.acquireTimedOut) { _ = try await waiter.value }
            #expect(error.underlyingError == nil)
            lease.release()
        }
    }

    @Test("All callers that time out at the same moment get the same connect error", arguments: CoreKind.allCases)
    func sameForAll(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { attempt in
                if attempt == 1 { throw TestError("refused") }
                await gate.pass()
            }
            await #expect(throws: TestError.self) { try await pool.acquire() }
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<300 { waiters.append(try await pool.startWaiting(timeout: .seconds(1))) }
            clock.advance(by: .seconds(1))
            for waiter in waiters {
                let error = try await poolError(.acquireTimedOut) { _ = try await waiter.value }
                #expect(error.underlyingError as? TestError == TestError("refused"))
            }
            gate.open()
            try await eventually("the connection is open") { pool.statistics.idle == 1 }
        }
    }

    @Test("A caller that does not wait gets the same details", arguments: CoreKind.allCases)
    func withoutWaiting(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            strategy.onOpen { attempt in if attempt == 1 { throw TestError("refused") } }
            await #expect(throws: TestError.self) { try await pool.acquire() }
            let error = try await poolError(.acquireTimedOut) { _ = try await pool.acquire(timeout: .immediate) }
            #expect(error.underlyingError as? TestError == TestError("refused"))
            #expect(error.statistics?.total == 0)
        }
    }
}
