// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

/// Which connection a lease is of.
@Suite(.timeLimit(.minutes(5)))
struct SharedPolicyTests {
    /// The number of leases of each connection.
    private static func spread(_ leases: [HeldLease]) -> [Int] {
        Dictionary(grouping: leases, by: \.connection.id).values.map(\.count).sorted()
    }

    @Test("With fewestLeases, leases are spread evenly over idle connections", arguments: [3, 4, 6, 9])
    func spreadOverIdle(count: Int) async throws {
        try await withSharedPool(limit: 8, maxSize: 3, policy: .fewestLeases) { pool, _, _, _ in
            try await pool.prewarm(3)
            let leases = try await pool.hold(count)
            let spread = Self.spread(leases)
            #expect(spread.count == 3)
            #expect(spread[2] - spread[0] <= 1)
            leases.release()
        }
    }

    @Test("With warmFirst, which is the default, one connection serves all callers that it has leases for")
    func warmFirst() async throws {
        try await withSharedPool(limit: 8, maxSize: 3) { pool, _, _, _ in
            try await pool.prewarm(3)
            let leases = try await pool.hold(8)
            #expect(Self.spread(leases) == [8])
            leases.release()
        }
    }

    @Test("With fewestLeases, callers do not wait for connections that are being opened if an open one has room")
    func openedBeside() async throws {
        try await withSharedPool(limit: 16, maxSize: 3, policy: .fewestLeases) { pool, strategy, _, _ in
            let gate = Gate()
            strategy.change { $0.open = { if $0 > 1 { await gate.pass() } } }
            let first = try await pool.hold(9)
            #expect(Self.spread(first) == [9])
            try await eventually("more connections are being opened") { gate.held > 0 }
            gate.open()
            try await pool.settle()
            // What the first connection has too much, it gives up as it is released.
            first.release()
            var spread: [Int] = []
            for _ in 0..<1_000 where spread != [3, 3, 3] {
                let leases = try await pool.hold(9)
                spread = Self.spread(leases)
                leases.release()
                try await pool.settle()
            }
            #expect(spread == [3, 3, 3])
            #expect(strategy.books.opened == 3)
        }
    }

    @Test("With fewestLeases, a server that accepts only one connection fails nobody, as long as that one has room")
    func oneOpens() async throws {
        try await withSharedPool(limit: 64, maxSize: 4, policy: .fewestLeases) { pool, strategy, _, _ in
            strategy.change { $0.open = { if $0 > 1 { throw ScriptedError("too many connections") } } }
            let leases = try await pool.hold(64)
            #expect(Self.spread(leases) == [64])
            leases.release()
        }
    }

    @Test("With fewestLeases, the limit of each connection holds, and callers beyond all limits wait")
    func limits() async throws {
        try await withSharedPool(limit: 3, maxSize: 2, policy: .fewestLeases) { pool, strategy, _, _ in
            strategy.change { $0.limit = { number in number == 1 ? 1 : 3 } }
            try await pool.prewarm(2)
            let leases = try await pool.hold(4)
            #expect(Self.spread(leases) == [1, 3])
            let waiter = try await pool.startWaiting()
            leases[0].release()
            try await waiter.value.release()
            leases.dropFirst().forEach { $0.release() }
        }
    }

    @Test("With fewestLeases, a burst opens connections only when all others have no room")
    func burst() async throws {
        try await withSharedPool(limit: 2, maxSize: 2, burstLimit: 3, policy: .fewestLeases) { pool, strategy, _, _ in
            try await pool.prewarm(2)
            let leases = try await pool.hold(4)
            #expect(strategy.books.opened == 2)
            let more = try await pool.hold(1)
            #expect(strategy.books.opened == 3)
            more.release()
            leases.release()
            try await eventually("the excess connection is closed") { pool.statistics.total == 2 }
        }
    }

    @Test("With fewestLeases, connections above a lowered maxSize close, although as many callers come as before")
    func resized() async throws {
        try await withSharedPool(limit: 64, maxSize: 4, policy: .fewestLeases) { pool, _, _, _ in
            try await pool.prewarm(4)
            let before = try await pool.hold(16)
            #expect(Self.spread(before) == [4, 4, 4, 4])
            try pool.resize(maxSize: 2)
            var after: [HeldLease] = []
            for lease in before {
                lease.release()
                after.append(try await pool.hold())
            }
            // What was acquired before the connections had drained is acquired again.
            for index in after.indices {
                after[index].release()
                after[index] = try await pool.hold()
            }
            try await eventually("two connections are left") { pool.statistics.total == 2 }
            #expect(Self.spread(after).count == 2)
            after.release()
        }
    }

    @Test("With fewestLeases, leases that are not needed any more are given up after a while")
    func decay() async throws {
        let configure: (inout ConnectionPoolConfiguration) -> Void = { $0.idleTimeout = .seconds(60) }
        try await withSharedPool(limit: 64, maxSize: 2, policy: .fewestLeases, configure: configure) {
            pool,
            _,
            clock,
            _ in
            try await pool.prewarm(2)
            let leases = try await pool.hold(40)
            #expect(Self.spread(leases) == [20, 20])
            for lease in leases.dropFirst(4) { lease.release() }
            #expect(pool.statistics.leasesIdle == 36)
            try await pool.pass(.seconds(20), on: clock) { pool.statistics.leasesIdle <= 4 }
            #expect(pool.statistics.leasesIdle <= 4)
            #expect(pool.statistics.total == 2)
            for lease in leases.prefix(4) { lease.release() }
        }
    }
}
