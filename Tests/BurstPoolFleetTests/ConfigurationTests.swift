// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolFleet
import BurstPoolTesting
import Testing

@Suite("Configuration of a fleet")
struct ConfigurationTests {
    private func error(_ change: (inout FleetConfiguration) -> Void) throws -> FleetError? {
        var configuration = FleetConfiguration(name: "fleet", settings: .init(total: 60, floor: 2, processes: 20))
        change(&configuration)
        let pool = try ConnectionPool(strategy: ScriptedStrategy<Int>(), maxSize: 2)
        do {
            _ = try FleetMember(
                pool: pool,
                store: InMemoryFleetStore(clock: ManualClock()),
                configuration: configuration
            )
            return nil
        } catch {
            #expect(!pool.isPaused, "the pool is unchanged")
            return error
        }
    }

    @Test("The default configuration is valid")
    func defaults() throws {
        #expect(try error { _ in } == nil)
    }

    @Test("Floors that do not fit into the total are an error that says so")
    func floors() throws {
        let error = try #require(try error { $0.settings = .init(total: 60, floor: 4, processes: 20) })
        #expect(error.code == .invalidConfiguration)
        #expect(error.message.contains("20 processes with a floor of 4 need 80 connections, and total is 60"))
        #expect(
            try self.error { $0.settings = .init(total: 60, floor: .max, processes: 2) }?.code == .invalidConfiguration
        )
    }

    @Test("Values out of range are errors that name the value")
    func ranges() throws {
        let changes: [(String, (inout FleetConfiguration) -> Void)] = [
            ("name", { $0.name = "" }),
            ("floor", { $0.settings.floor = 0 }),
            ("processes", { $0.settings.processes = 0 }),
            ("total", { $0.settings.total = 1_000_001 }),
            ("term", { $0.settings.term = .milliseconds(99) }),
            ("memberTerm", { $0.settings.memberTerm = $0.settings.term }),
            ("memberTerm", { $0.settings.memberTerm = .seconds(Int64.max) }),
            ("grace", { $0.settings.grace = .milliseconds(-1) }),
            ("chunk", { $0.chunk = 0 }),
            ("maximumShare", { $0.maximumShare = -1 }),
            ("releaseAfter", { $0.releaseAfter = .milliseconds(-1) }),
            ("lookInterval", { $0.lookInterval = .zero }),
            ("lookInterval", { $0.lookInterval = .seconds(2) }),
        ]
        for (name, change) in changes {
            let error = try #require(try error(change), "\(name)")
            #expect(error.code == .invalidConfiguration)
            #expect(error.message.contains(name))
        }
    }

    @Test("A pool whose minimum of idle connections is above the floor is refused")
    func minimumIdle() throws {
        var settings = ConnectionPoolConfiguration(maxSize: 8)
        settings.minimumIdle = 4
        let pool = try ConnectionPool(strategy: ScriptedStrategy<Int>(), configuration: settings)
        let configuration = FleetConfiguration(name: "fleet", settings: .init(total: 60, floor: 2, processes: 20))
        let error = #expect(throws: FleetError.self) {
            try FleetMember(pool: pool, store: InMemoryFleetStore(clock: ManualClock()), configuration: configuration)
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("minimumIdle is 4") == true)
    }
}
