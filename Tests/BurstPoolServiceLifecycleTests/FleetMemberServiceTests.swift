// SPDX-License-Identifier: Apache-2.0

#if Fleet
    import BurstPool
    import BurstPoolFleet
    import BurstPoolRedis
    import BurstPoolRedisServer
    import BurstPoolServiceLifecycle
    import BurstPoolTesting
    import Logging
    import ServiceLifecycle
    import ServiceLifecycleTestKit
    import Testing

    /// On a private redis-server for each test.
    @Suite("A member of a fleet as a service", .timeLimit(.minutes(5)))
    struct FleetMemberServiceTests {
        private typealias Pool = ConnectionPool<ScriptedStrategy<Int>>

        /// The total of 6 has room for one floor of 4, so a process can join only after the one before it has left.
        private static var configuration: FleetConfiguration {
            var settings = FleetSettings(total: 6, floor: 4, processes: 1)
            settings.term = .milliseconds(800)
            settings.memberTerm = .seconds(600)
            settings.grace = .zero
            var configuration = FleetConfiguration(name: "test", settings: settings)
            configuration.lookInterval = .milliseconds(10)
            return configuration
        }

        private let server: RedisServer
        private let store: RedisFleetStore

        init() throws {
            server = try RedisServer()
            store = try RedisFleetStore(url: "unix://\(server.socketPath)")
        }

        private func makeMember(
            _ change: (inout FleetConfiguration) -> Void = { _ in }
        ) throws -> (pool: Pool, member: FleetMember<Pool>) {
            var configuration = Self.configuration
            change(&configuration)
            let pool = try ConnectionPool(strategy: ScriptedStrategy<Int>(), maxSize: 1)
            return (pool, try FleetMember(pool: pool, store: store, configuration: configuration))
        }

        private func makeGroup(_ services: [any Service]) -> ServiceGroup {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            return ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
        }

        /// The number of members, as the server knows it.
        private func members() async throws -> Int {
            try await store.pool.withConnection { connection in
                let reply = try await connection.send("HGET", "burst-pool:fleet:1:{test}", "members")
                return reply.string.flatMap { Int($0) } ?? 0
            }
        }

        /// Lets a process join and stay in the fleet while the body runs.
        private func withMember(_ body: () async throws -> Void) async throws {
            let (pool, member) = try makeMember()
            let running = Task { try await member.run() }
            try await eventually("the process has joined") { member.status.isMember }
            try await body()
            await pool.shutdown()
            try await running.value
        }

        /// A server that answers one request at the start, and one after its graceful shutdown has begun.
        private struct FakeServer: Service {
            let pool: Pool
            let member: FleetMember<Pool>
            let isUp: Gate
            let wasMember: Shared<Bool?>

            func run() async throws {
                try await pool.withConnection { _ in }
                isUp.open()
                try await gracefulShutdown()
                try await pool.withConnection { _ in wasMember.set(member.status.isMember) }
            }
        }

        @Test("a process is a member until its server and its pool have ended, and has left when the group has ended")
        func order() async throws {
            let (pool, member) = try makeMember()
            let server = FakeServer(pool: pool, member: member, isUp: Gate(), wasMember: Shared(nil))
            let group = makeGroup([FleetMemberService(member: member), ConnectionPoolService(pool: pool), server])
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                await server.isUp.pass()
                #expect(try await members() == 1)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            #expect(server.wasMember.value == true)
            #expect(try await members() == 0)
            await store.pool.shutdown()
        }

        @Test("a pool that is shut down by itself lets the member leave, and does not end the group")
        func poolEndsFirst() async throws {
            let (pool, member) = try makeMember()
            let group = makeGroup([FleetMemberService(member: member)])
            let hasEnded = Shared(false)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    try await group.run()
                    hasEnded.set(true)
                }
                try await eventually("the process has joined") { member.status.isMember }
                await pool.shutdown()
                while try await members() > 0 { try await Task.sleep(for: .milliseconds(5)) }
                try await Task.sleep(for: .milliseconds(50))
                #expect(!hasEnded.value)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            await store.pool.shutdown()
        }

        @Test("a graceful shutdown before that of the pool suspends the pool, and the member leaves")
        func memberEndsFirst() async throws {
            let (pool, member) = try makeMember()
            let service = FleetMemberService(member: member)
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await service.run() }
                    try await pool.withConnection { _ in }
                    trigger.triggerGracefulShutdown()
                    try await tasks.waitForAll()
                }
            }
            #expect(pool.isPaused)
            #expect(try await members() == 0)
            await pool.shutdown()
            await store.pool.shutdown()
        }

        @Test("a cancelled service ends without an error, and its member leaves")
        func cancelled() async throws {
            let (pool, member) = try makeMember()
            let running = Task { try await FleetMemberService(member: member).run() }
            try await pool.withConnection { _ in }
            running.cancel()
            try await running.value
            #expect(pool.isPaused)
            #expect(try await members() == 0)
            await pool.shutdown()
            await store.pool.shutdown()
        }

        @Test("a process that the fleet has no room for fails the group with the error")
        func full() async throws {
            try await withMember {
                let (pool, member) = try makeMember { $0.whenFull = .fail }
                let group = makeGroup([FleetMemberService(member: member), ConnectionPoolService(pool: pool)])
                let error = await #expect(throws: FleetError.self) { try await group.run() }
                #expect(error?.code == .fleetIsFull)
            }
            await store.pool.shutdown()
        }
    }
#endif
