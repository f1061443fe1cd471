// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct OvertakenConnectTests {
    @Test(
        "A caller whose connection is being opened gets a connection that is released earlier",
        arguments: CoreKind.allCases
    )
    func returnedConnectionOvertakes(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let lease = try await pool.acquire()
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let caller = try await pool.startWaiting()
            lease.release()
            let served = try await caller.value
            #expect(served.id == 1)
            #expect(pool.statistics.opening == 1)
            gate.open()
            try await eventually("the excess connection is idle") { pool.statistics.idle == 1 }
            #expect(strategy.books.opened == 2)
            served.release()
            #expect(pool.statistics.idle == 2)
        }
    }

    @Test("The connection that was opened too late serves the next waiter", arguments: CoreKind.allCases)
    func lateConnectionServesTheNext(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let lease = try await pool.acquire()
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let first = try await pool.startWaiting()
            lease.release()
            let served = try await first.value
            let second = try await pool.startWaiting()
            gate.open()
            let other = try await second.value
            #expect(other.id == 2)
            #expect(strategy.books.attempts == 2)
            [served, other].release()
        }
    }

    @Test("The connection that was opened too late is closed above maxSize", arguments: CoreKind.allCases)
    func lateConnectionIsClosed(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, burstLimit: 2) { pool, strategy in
            let lease = try await pool.acquire()
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let caller = try await pool.startWaiting()
            lease.release()
            let served = try await caller.value
            gate.open()
            try await eventually("one connection is closed") { strategy.books.closed == 1 }
            try await eventually("the pool has shrunk") { pool.statistics.total == 1 }
            served.release()
        }
    }

    @Test(
        "The connection that was opened too late is asked whether it is closed before it serves another caller",
        arguments: CoreKind.allCases
    )
    func lateConnectionIsChecked(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let lease = try await pool.acquire()
            let gate = Gate()
            strategy.onOpen { attempt in if attempt == 2 { await gate.pass() } }
            let first = try await pool.startWaiting()
            lease.release()
            let served = try await first.value
            let second = try await pool.startWaiting()
            strategy.onCheck { remote in remote.id == 2 || remote.isClosed }
            gate.open()
            let other = try await second.value
            #expect(other.id == 3)
            [served, other].release()
        }
    }

    @Test("Connections that open together serve the callers that came first", arguments: CoreKind.allCases)
    func manyAtOnce(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 8) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<20 { waiters.append(try await pool.startWaiting()) }
            try await eventually("eight are being opened") { gate.held == 8 }
            #expect(pool.statistics.opening == 8)
            gate.open()
            for waiter in waiters { try await waiter.value.release() }
            #expect(strategy.books.opened == 8)
            #expect(pool.statistics.idle == 8)
        }
    }
}
