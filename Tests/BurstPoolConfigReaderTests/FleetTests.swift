// SPDX-License-Identifier: Apache-2.0

#if Fleet
    import BurstPool
    import BurstPoolConfigReader
    import BurstPoolFleet
    import BurstPoolRedisServer
    import BurstPoolTesting
    import Configuration
    import Testing

    @Suite("Reading the configuration of a fleet", .timeLimit(.minutes(5)))
    struct FleetTests {
        private static let required = [
            "FLEET_NAME": "shop-db", "FLEET_TOTAL": "80", "FLEET_FLOOR": "2", "FLEET_PROCESSES": "20",
        ]

        private func reading(
            _ environment: [String: String],
            defaults: FleetConfiguration? = nil
        ) throws -> FleetConfigurationReading {
            let provider = EnvironmentVariablesProvider(environmentVariables: environment)
            return try FleetConfiguration.read(
                from: ConfigReader(provider: provider).scoped(to: "fleet"),
                defaults: defaults
            )
        }

        private func reading(_ name: String, _ value: String) throws -> FleetConfiguration {
            try reading(Self.required.merging([name: value]) { $1 }).configuration
        }

        @Test("every setting is read from the environment")
        func everyVariable() throws {
            let configuration = try reading(
                Self.required.merging([
                    "FLEET_TERM": "4s", "FLEET_MEMBER_TERM": "5m", "FLEET_GRACE": "1500ms", "FLEET_CHUNK": "3",
                    "FLEET_MAXIMUM_SHARE": "7", "FLEET_RELEASE_AFTER": "0.5s", "FLEET_LOOK_INTERVAL": "20ms",
                    "FLEET_WHEN_FULL": "fail", "FLEET_WHEN_MEMBERSHIP_ENDS": "keepFloor",
                ]) { $1 }
            ).configuration
            var settings = FleetSettings(total: 80, floor: 2, processes: 20)
            settings.term = .seconds(4)
            settings.memberTerm = .seconds(300)
            settings.grace = .milliseconds(1500)
            #expect(configuration.name == "shop-db")
            #expect(configuration.settings == settings)
            #expect(configuration.chunk == 3)
            #expect(configuration.maximumShare == 7)
            #expect(configuration.releaseAfter == .milliseconds(500))
            #expect(configuration.lookInterval == .milliseconds(20))
            #expect(configuration.whenFull == .fail)
            #expect(configuration.whenMembershipEnds == .keepFloor)
        }

        @Test("a setting without a value has its default, or that of the caller")
        func defaults() throws {
            let read = try reading(Self.required).configuration
            let plain = FleetConfiguration(name: "shop-db", settings: .init(total: 80, floor: 2, processes: 20))
            #expect(read.settings == plain.settings)
            #expect(read.releaseAfter == plain.releaseAfter && read.maximumShare == nil && read.whenFull == .wait)

            var other = FleetConfiguration(name: "other", settings: .init(total: 30, floor: 1, processes: 9))
            other.maximumShare = 4
            other.settings.grace = .seconds(9)
            other.whenFull = .fail
            let changed = try reading(
                ["FLEET_TOTAL": "31", "FLEET_MAXIMUM_SHARE": "none", "FLEET_WHEN_FULL": "WAIT"],
                defaults: other
            ).configuration
            #expect(changed.name == "other")
            #expect(changed.settings.total == 31 && changed.settings.floor == 1 && changed.settings.processes == 9)
            #expect(changed.settings.grace == .seconds(9))
            #expect(changed.maximumShare == nil)
            #expect(changed.whenFull == .wait)
        }

        @Test("a required setting without a value is an error", arguments: ["name", "total", "floor", "processes"])
        func missing(key: String) throws {
            var environment = Self.required
            environment["FLEET_" + key.uppercased()] = nil
            let error = #expect(throws: ConnectionPoolConfigurationReadError.self) { try reading(environment) }
            #expect(error?.code == .missing)
            #expect(error?.key == key)
        }

        @Test(
            "a value that cannot be parsed is an error that says what is allowed",
            arguments: [
                ("FLEET_TERM", "10", "term", "with a unit"), ("FLEET_FLOOR", "two", "floor", "a whole number"),
                ("FLEET_WHEN_FULL", "retry", "whenFull", "wait or fail"),
                ("FLEET_WHEN_MEMBERSHIP_ENDS", "keep", "whenMembershipEnds", "suspend or keepFloor"),
                ("FLEET_GRACE", "none", "grace", "a number with a unit"),
            ]
        )
        func invalid(name: String, value: String, key: String, allowed: String) {
            let error = #expect(throws: ConnectionPoolConfigurationReadError.self) { try reading(name, value) }
            #expect(error?.code == .invalid)
            #expect(error?.key == key)
            #expect(error?.value == value)
            #expect(error?.message.contains(allowed) == true, "\(error?.message ?? "")")
        }

        @Test("the values that were found are listed, and unknown variables are reported")
        func report() throws {
            let environment = Self.required.merging(["FLEET_GRACE": "2s", "FLEET_MEMBERTERM": "1m", "POOL_X": "1"]) {
                $1
            }
            let read = try reading(environment)
            #expect("\(read)" == "name = shop-db, total = 80, floor = 2, processes = 20, grace = 2s")
            #expect(
                read.unknownVariables(in: environment, prefix: "FLEET_").map(\.description) == [
                    "FLEET_MEMBERTERM is not a setting of the fleet and is ignored. Did you mean FLEET_MEMBER_TERM?"
                ]
            )
        }

        @Test("A member that is configured by the environment joins on a real Redis, and draws what it may")
        func member() async throws {
            let server = try RedisServer()
            defer { server.stop() }
            let configuration = try FleetConfiguration(
                reader: ConfigReader(
                    provider: EnvironmentVariablesProvider(environmentVariables: [
                        "FLEET_NAME": "test", "FLEET_TOTAL": "9", "FLEET_FLOOR": "2", "FLEET_PROCESSES": "2",
                        "FLEET_TERM": "2s", "FLEET_MEMBER_TERM": "20s", "FLEET_GRACE": "0ms",
                        "FLEET_LOOK_INTERVAL": "10ms", "FLEET_MAXIMUM_SHARE": "3",
                    ])
                ).scoped(to: "fleet")
            )
            let pool = try ConnectionPool(strategy: ScriptedStrategy<Int>(), maxSize: 1)
            let store = try RedisFleetStore(url: "unix://\(server.socketPath)")
            let member = try FleetMember(pool: pool, store: store, configuration: configuration)
            let running = Task { try await member.run() }
            try await withThrowingTaskGroup { group in
                // One caller more than the floor of 2 and the share of 3 serve.
                for _ in 0..<6 {
                    group.addTask {
                        try await pool.withConnection { _ in
                            while member.status.share < 3 { try await Task.sleep(for: .milliseconds(2)) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(member.status.limits == .connections(floor: 2, share: 3))
            await pool.shutdown()
            try await running.value
            await store.pool.shutdown()
        }
    }
#endif
