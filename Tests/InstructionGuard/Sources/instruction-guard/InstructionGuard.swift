// SPDX-License-Identifier: Apache-2.0

import BurstPool
import CAllocationCount
import CoreOperations

/// Runs each operation a few times and many times, and dumps callgrind's counts before and after. Prints for each
/// measurement which part of callgrind's output it is, and the number of allocations. `run` divides the differences.
@main
enum InstructionGuard {
    static func main() async throws {
        let record = Record()
        try await leaseFromNoActor(record)
        try await SharedLeases.measure(record)
        try await leaseWithEverything(record)
        try await leaseUnderObservation(record)
        try await leaseFromActor(record)
        try await leaseFromMainActor(record)
        leaseFromC(record)
        waitInC(record)
        try await waitFromSwift(record)
        // Last, because a thousand pools leave work for the runtime, which would be counted in what comes after them.
        try await leaseFromGroup(record)
        record.print()
    }

    // MARK: W1 and W9: what a lease costs with a connection idle

    @concurrent
    private static func leaseFromNoActor(_ record: Record) async throws {
        let pool = try await makeOpenPool()
        try await record.measure("withConnection, synchronous body") { count in
            for _ in 0..<count {
                try await pool.withConnection { connection in
                    connection.uses &+= 1
                }
            }
        }
        try await record.measure("withConnection, asynchronous body") { count in
            for _ in 0..<count {
                try await pool.withConnection { connection in
                    await connection.use()
                }
            }
        }
        try await record.measure("withConnection four times, in functions of their own") { count in
            try await Handlers(pool: pool).call(count)
        }
        try await record.measure("acquire and release") { count in
            for _ in 0..<count {
                let lease = try await pool.acquire()
                lease.connection.uses &+= 1
            }
        }
        await pool.shutdown()
        let ofClosures = try ConnectionPool(
            maxSize: 8,
            open: { Connection() },
            isClosed: { _ in false },
            close: { _ in }
        )
        try await ofClosures.withConnection { _ in }
        try await record.measure("withConnection, synchronous body, a pool made of closures") { count in
            for _ in 0..<count {
                try await ofClosures.withConnection { connection in
                    connection.uses &+= 1
                }
            }
        }
        await ofClosures.shutdown()
    }

    /// A lease of a key that has a pool, among a thousand keys.
    @concurrent
    private static func leaseFromGroup(_ record: Record) async throws {
        let ofNumbers = try ConnectionPoolGroup(maxTotal: 16, perKey: .init(maxSize: 8)) { (_: Int) in Strategy() }
        // Two keys can meet in the table, and the hash values are different in each run. So there is only one key.
        try await ofNumbers.withConnection(for: 999) { _ in }
        try await record.measure("withConnection of a group, synchronous body, key of type Int") { count in
            for _ in 0..<count {
                try await ofNumbers.withConnection(for: 999) { connection in
                    connection.uses &+= 1
                }
            }
        }
        try await record.measure("withConnection of a group, asynchronous body, key of type Int") { count in
            for _ in 0..<count {
                try await ofNumbers.withConnection(for: 999) { connection in
                    await connection.use()
                }
            }
        }
        await ofNumbers.shutdown()
        let ofNames = try ConnectionPoolGroup(maxTotal: 16, perKey: .init(maxSize: 8)) { (_: String) in Strategy() }
        let name = "tenant-999"
        try await ofNames.withConnection(for: name) { _ in }
        try await record.measure("withConnection of a group, synchronous body, key of type String") { count in
            for _ in 0..<count {
                try await ofNames.withConnection(for: name) { connection in
                    connection.uses &+= 1
                }
            }
        }
        await ofNames.shutdown()
    }

    /// With every option that does not make the strategy or the observer do work for each lease.
    @concurrent
    private static func leaseWithEverything(_ record: Record) async throws {
        var configuration = ConnectionPoolConfiguration(maxSize: 8, burstLimit: 16)
        configuration.minimumIdle = 1
        configuration.idleTimeout = .seconds(600)
        configuration.maxLifetime = .seconds(1800)
        configuration.burstLinger = .seconds(60)
        configuration.maxConcurrentConnects = 2
        configuration.connectDelay = .milliseconds(5)
        configuration.connectTimeout = .seconds(5)
        configuration.connectRetry = ConnectionBackoff()
        configuration.circuitBreaker = ConnectionCircuitBreaker()
        configuration.maxWaiters = 1000
        configuration.loadShedding = ConnectionLoadShedding()
        configuration.validateAfterIdle = .seconds(60)
        configuration.keepaliveInterval = .seconds(120)
        configuration.leakThreshold = .seconds(60)
        configuration.detectsNestedAcquires = true
        configuration.observer = Bystander()
        let pool = try ConnectionPool(strategy: Strategy(), configuration: configuration)
        try await pool.prewarm()
        try await record.measure("withConnection, synchronous body, every option on") { count in
            for _ in 0..<count {
                try await pool.withConnection { connection in
                    connection.uses &+= 1
                }
            }
        }
        await pool.shutdown()
        configuration.tracksLeases = true
        let tracking = try ConnectionPool(strategy: Strategy(), configuration: configuration)
        try await tracking.prewarm()
        try await record.measure("withConnection, synchronous body, every option on, leases tracked") { count in
            for _ in 0..<count {
                try await tracking.withConnection { connection in
                    connection.uses &+= 1
                }
            }
        }
        let named = Task(name: "import of the catalogue") {
            try await record.measure("withConnection, synchronous body, leases tracked, in a task with a name") {
                count in
                for _ in 0..<count {
                    try await tracking.withConnection { connection in
                        connection.uses &+= 1
                    }
                }
            }
        }
        try await named.value
        await tracking.shutdown()
    }

    private static func leaseFromActor(_ record: Record) async throws {
        let pool = try await makeOpenPool()
        let caller = Caller(pool)
        try await record.measure("withConnection, synchronous body, from an actor") { count in
            try await caller.leaseSynchronously(count)
        }
        try await record.measure("withConnection, asynchronous body, from an actor") { count in
            try await caller.leaseAsynchronously(count)
        }
        await pool.shutdown()
    }

    @MainActor
    private static func leaseFromMainActor(_ record: Record) async throws {
        let pool = try await makeOpenPool()
        try await record.measure("withConnection, synchronous body, from the main actor") { count in
            for _ in 0..<count {
                try await pool.withConnection { connection in
                    connection.uses &+= 1
                }
            }
        }
        try await record.measure("withConnection, asynchronous body, from the main actor") { count in
            for _ in 0..<count {
                try await pool.withConnection { connection in
                    await connection.use()
                }
            }
        }
        await pool.shutdown()
    }

    private static func leaseFromC(_ record: Record) {
        let pool = operations_pool_create(8)
        record.measure("C: lease and exclusive release") { operations_lease(pool, UInt32($0)) }
        record.measure("C: lease and checked release") { operations_lease_checked(pool, UInt32($0)) }
    }

    // MARK: W3 and W5: what waiting costs in the core

    private static func waitInC(_ record: Record) {
        let pool = operations_pool_create(8)
        let tickets = UnsafeMutableBufferPointer<bp_ticket>.allocate(capacity: Record.many)
        defer { tickets.deallocate() }
        let base = tickets.baseAddress
        let noDeadline = UInt64.max

        // Makes the core allocate the memory that it needs.
        operations_join(pool, base, UInt32(Record.many), noDeadline)
        operations_hand_off(pool, UInt32(Record.many))

        for count in [Record.few, Record.many] {
            record.stretch("C: join the queue", count) { operations_join(pool, base, UInt32(count), noDeadline) }
            record.stretch("C: serve the oldest", count) { operations_hand_off(pool, UInt32(count)) }
        }
        // Waiters that stay are in front of those that leave, so that nodes are taken out of the middle of the queue.
        var patient = [bp_ticket](repeating: bp_ticket(), count: 16)
        operations_join(pool, &patient, 16, noDeadline)
        for count in [Record.few, Record.many] {
            operations_join(pool, base, UInt32(count), noDeadline)
            record.stretch("C: leave by cancellation", count) { operations_claim(pool, base, UInt32(count)) }
        }
        for count in [Record.few, Record.many] {
            record.stretch("C: join with a deadline", count) { operations_join(pool, base, UInt32(count), 1_000) }
            record.stretch("C: leave by deadline", count) { operations_expire(pool, UInt32(count)) }
        }
        operations_hand_off(pool, 16)
    }

    /// Callers on one thread that share fewer connections: each lease waits once, and is handed off.
    private static func waitFromSwift(_ record: Record) async throws {
        var configuration = ConnectionPoolConfiguration(maxSize: 2)
        configuration.acquireTimeout = nil
        let pool = try ConnectionPool(strategy: Strategy(), configuration: configuration)
        do {
            // Both connections open before the measurement, because tasks on other threads open them.
            let first = try await pool.acquire()
            let second = try await pool.acquire()
            _ = (first.connection.uses, second.connection.uses)
        }
        let thread = OneThread()
        let served = Served()
        record.measure("withConnection that waits") { count in
            for _ in 0..<4 {
                Task(executorPreference: thread) {
                    for _ in 0..<count / 4 {
                        try await pool.withConnection { _ in
                            await thread.suspend()
                        }
                        served.count += 1
                    }
                }
            }
            thread.run()
            precondition(served.count == count, "a caller was not served")
            served.count = 0
        }
        await pool.shutdown()
    }

    private static func makeOpenPool() async throws -> ConnectionPool<Strategy> {
        let pool = try ConnectionPool(strategy: Strategy(), maxSize: 8)
        try await pool.withConnection { _ in }
        return pool
    }
}

/// An observer that does not need an event for each lease.
private struct Bystander: ConnectionPoolObserver {
    func connectionPool(_ event: ConnectionPoolEvent) {}
}

private actor Caller {
    let pool: ConnectionPool<Strategy>

    init(_ pool: ConnectionPool<Strategy>) {
        self.pool = pool
    }

    func leaseSynchronously(_ count: Int) async throws {
        for _ in 0..<count {
            try await pool.withConnection { connection in
                connection.uses &+= 1
            }
        }
    }

    func leaseAsynchronously(_ count: Int) async throws {
        for _ in 0..<count {
            try await pool.withConnection { connection in
                await connection.use()
            }
        }
    }
}

/// Used by one thread.
private final class Served: @unchecked Sendable {
    var count = 0
}

final class Connection {
    var uses = 0

    nonisolated(nonsending) func use() async {
        uses &+= 1
    }
}

final class Strategy: ConnectionStrategy {
    func makeConnection() async throws -> sending Connection { Connection() }
    func connectionIsClosed(_ connection: Connection) throws -> Bool { false }
    func closeConnection(_ connection: sending Connection) async throws {}
}
