// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolServiceLifecycle
import BurstPoolTesting
import Logging
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@Suite("A pool as a service", .timeLimit(.minutes(5)))
struct ConnectionPoolServiceTests {
    private func makePool(
        _ strategy: ScriptedStrategy<Int>,
        maxSize: Int = 2,
        _ change: (inout ConnectionPoolConfiguration) -> Void = { _ in }
    ) throws -> ConnectionPool<ScriptedStrategy<Int>> {
        var configuration = ConnectionPoolConfiguration(maxSize: maxSize)
        change(&configuration)
        return try ConnectionPool(strategy: strategy, configuration: configuration)
    }

    /// A server that still has requests to complete at its graceful shutdown, each of which needs a connection.
    private struct FakeServer: Service {
        let pool: ConnectionPool<ScriptedStrategy<Int>>
        let isUp: Gate
        let lastRequests: Gate
        let journal: Shared<[String]>

        func run() async throws {
            try await pool.withConnection { _ in }
            isUp.open()
            try await gracefulShutdown()
            await lastRequests.pass()
            for request in 1...3 {
                try await pool.withConnection { _ in journal.change { $0.append("request \(request)") } }
            }
            journal.change { $0.append("server has ended") }
        }
    }

    @Test(
        "a server that follows the pool in the list receives connections until it has ended, and the pool ends after it"
    )
    func order() async throws {
        let journal = Shared<[String]>([])
        let strategy = ScriptedStrategy { $0.close = { _ in journal.change { $0.append("connection closed") } } }
        let pool = try makePool(strategy)
        let server = FakeServer(pool: pool, isUp: Gate(), lastRequests: Gate(), journal: journal)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [ConnectionPoolService(pool: pool), server],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await server.isUp.pass()
            await group.triggerGracefulShutdown()
            try await eventually("the server shuts down gracefully") { server.lastRequests.held == 1 }
            #expect(journal.value == [], "the pool must not end before it")
            try await pool.withConnection { _ in }
            server.lastRequests.open()
            try await tasks.waitForAll()
        }
        #expect(journal.value.prefix(4) == ["request 1", "request 2", "request 3", "server has ended"])
        #expect(Set(journal.value.dropFirst(4)) == ["connection closed"])
        #expect(strategy.counts.openNow == 0)
        await expectShutDown(pool)
    }

    @Test("a pool that cannot open a connection fails the group with the error")
    func startFails() async throws {
        let strategy = ScriptedStrategy {
            $0.open = { _ in throw ScriptedError("wrong password") }
            $0.isPermanent = { _ in true }
        }
        let pool = try makePool(strategy)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [ConnectionPoolService(pool: pool)],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        await #expect(throws: ScriptedError("wrong password")) { try await group.run() }
        await expectShutDown(pool)
    }

    @Test("the start is retried until its timeout, and fails with the latest error")
    func startTimesOut() async throws {
        let strategy = ScriptedStrategy { $0.open = { throw ScriptedError("refused \($0 > 1)") } }
        let pool = try makePool(strategy)
        var configuration = ConnectionPoolServiceConfiguration()
        configuration.startTimeout = .seconds(10)
        let error = await #expect(throws: (any Error).self) {
            try await ConnectionPoolService(pool: pool, configuration: configuration).run()
        }
        #expect(error.map { "\($0)" }?.contains("refused true") == true)
        #expect(strategy.counts.attempts > 1)
        await expectShutDown(pool)
    }

    @Test("connections are prewarmed at the start")
    func prewarm() async throws {
        let strategy = ScriptedStrategy()
        let pool = try makePool(strategy, maxSize: 3)
        var configuration = ConnectionPoolServiceConfiguration()
        configuration.prewarmedConnections = 3
        let service = ConnectionPoolService(pool: pool, configuration: configuration)
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await service.run() }
                try await eventually("three connections are idle") { pool.statistics.idle == 3 }
                trigger.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
        #expect(strategy.counts.openNow == 0)
    }

    @Test("connections that do not open in time fail the start with an error that has the number of open connections")
    func prewarmTimesOut() async throws {
        let clock = ManualClock()
        let strategy = ScriptedStrategy { $0.open = { if $0 > 1 { try await Task.sleep(for: .seconds(3600)) } } }
        let pool = try makePool(strategy, maxSize: 3)
        var configuration = ConnectionPoolServiceConfiguration()
        configuration.waitsUntilHealthy = false
        configuration.prewarmedConnections = 3
        configuration.clock = clock
        let service = ConnectionPoolService(pool: pool, configuration: configuration)
        let run = Task { try await service.run() }
        try await clock.waitForSleepers(1)
        try await eventually("one connection is open") { pool.statistics.idle == 1 && pool.statistics.opening == 2 }
        clock.advance(by: .seconds(30))
        let error = await #expect(throws: ConnectionPoolServiceError.self) { try await run.value }
        #expect(error?.code == .prewarmTimedOut)
        #expect(error?.statistics.idle == 1)
        #expect(error?.message.contains("could not open 3 connections within 30.0 seconds") == true)
        await expectShutDown(pool)
        try await eventually("opening connections are cancelled") { strategy.counts.openNow == 0 }
    }

    @Test("a graceful shutdown during the start ends the start without a failure")
    func shutdownDuringStart() async throws {
        let strategy = ScriptedStrategy { $0.open = { _ in throw ScriptedError("refused") } }
        let pool = try makePool(strategy)
        var configuration = ConnectionPoolServiceConfiguration()
        configuration.startTimeout = nil
        let service = ConnectionPoolService(pool: pool, configuration: configuration)
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await service.run() }
                try await eventually("the pool tries to open a connection") { strategy.counts.attempts > 0 }
                trigger.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
        await expectShutDown(pool)
    }

    @Test("the shutdown waits for leases until the deadline, and then aborts the remaining ones")
    func deadline() async throws {
        let clock = ManualClock()
        let aborted = Shared<[Int]>([])
        let strategy = ScriptedStrategy { $0.abortHandle = { number in { aborted.change { $0.append(number) } } } }
        let pool = try makePool(strategy) { $0.clock = clock }
        var configuration = ConnectionPoolServiceConfiguration()
        configuration.waitsUntilHealthy = false
        configuration.drainTimeout = .seconds(10)
        let service = ConnectionPoolService(pool: pool, configuration: configuration)
        let (prompt, hung) = (Gate(), Gate())
        let users = [prompt, hung].map { gate in Task { try await pool.withConnection { _ in await gate.pass() } } }
        try await eventually("both are in use") { prompt.held == 1 && hung.held == 1 }
        try await testGracefulShutdown { trigger in
            let run = Task { try await service.run() }
            trigger.triggerGracefulShutdown()
            try await eventually("the pool shuts down") { pool.statistics.maxSize == 0 }
            prompt.open()
            try await eventually("the first connection is closed") { strategy.counts.openNow == 1 }
            try await eventually("the deadline is scheduled") {
                clock.nextDeadline.map { $0 <= .seconds(10) } ?? false
            }
            clock.advance(by: .milliseconds(9_999))
            await letOthersRun()
            #expect(aborted.value == [])
            clock.advance(by: .milliseconds(1))
            try await eventually("the second connection is aborted") { aborted.value.count == 1 }
            hung.open()
            try await run.value
            for user in users { try await user.value }
        }
        #expect(strategy.counts.openNow == 0)
    }

    @Test("a cancelled service aborts connections in use without waiting, and ends")
    func cancelled() async throws {
        let aborted = Gate()
        let strategy = ScriptedStrategy { $0.abortHandle = { _ in { aborted.open() } } }
        let pool = try makePool(strategy)
        let service = ConnectionPoolService(pool: pool)
        let run = Task { try await service.run() }
        try await eventually("the service has started") { pool.statistics.idle == 1 }
        let user = Task { try await pool.withConnection { _ in await aborted.pass() } }
        try await eventually("a connection is in use") { pool.statistics.inUse == 1 }
        run.cancel()
        try await run.value
        try await user.value
        #expect(strategy.counts.openNow == 0)
        await expectShutDown(pool)
    }

    @Test("a lease that ignores the abort delays the end for at most the abort timeout")
    func heedless() async throws {
        let clock = ManualClock()
        let strategy = ScriptedStrategy()
        let pool = try makePool(strategy) { $0.clock = clock }
        var configuration = ConnectionPoolServiceConfiguration()
        configuration.waitsUntilHealthy = false
        let service = ConnectionPoolService(pool: pool, configuration: configuration)
        let lease = try await pool.acquire()
        let run = Task { try await service.run() }
        run.cancel()
        try await eventually("the service waits for the abort") {
            clock.nextDeadline.map { $0 <= .seconds(6) } ?? false
        }
        clock.advance(by: .seconds(5))
        try await run.value
        #expect(pool.statistics.inUse == 1)
        lease.release()
        try await eventually("the connection is closed when it is released") { strategy.counts.openNow == 0 }
    }

    private final class SharedStrategy: SharedConnectionStrategy {
        final class Connection: Sendable {}

        let open = Shared(0)

        func makeConnection() async throws -> Connection {
            open.change { $0 += 1 }
            return Connection()
        }

        func connectionIsClosed(_ connection: Connection) -> Bool { false }
        func closeConnection(_ connection: Connection) async throws { open.change { $0 -= 1 } }
        func leaseLimit(of connection: Connection) -> Int { 2 }
    }

    @Test("a shared pool opens connections at the start, and at the end waits for the leases of its callers")
    func sharedPool() async throws {
        let strategy = SharedStrategy()
        let pool = try SharedConnectionPool(strategy: strategy, maxSize: 2)
        var configuration = ConnectionPoolServiceConfiguration()
        configuration.prewarmedConnections = 2
        configuration.drainTimeout = nil
        let service = SharedConnectionPoolService(pool: pool, configuration: configuration)
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await service.run() }
                try await eventually("two connections are open") { pool.statistics.idle == 2 }
                let lease = try await pool.acquire()
                trigger.triggerGracefulShutdown()
                try await eventually("only the connection with a lease is left") { strategy.open.value == 1 }
                lease.release()
                try await tasks.waitForAll()
            }
        }
        #expect(strategy.open.value == 0)
        let error = await #expect(throws: ConnectionPoolError.self) { try await pool.acquire().release() }
        #expect(error?.code == .poolShutDown)
    }

    private func expectShutDown(_ pool: ConnectionPool<ScriptedStrategy<Int>>) async {
        let error = await #expect(throws: ConnectionPoolError.self) { try await pool.withConnection { _ in } }
        #expect(error?.code == .poolShutDown)
    }
}
