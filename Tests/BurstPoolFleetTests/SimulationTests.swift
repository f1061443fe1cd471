// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPoolFleet
@testable import FleetSimulation

@Suite("Fleets in virtual time, with faults", .timeLimit(.minutes(2)))
struct SimulationTests {
    /// Short terms, so that a run of two minutes has many of them.
    private func configuration(total: Int, floor: Int, processes: Int) -> FleetConfiguration {
        var settings = FleetSettings(total: total, floor: floor, processes: processes)
        settings.term = .seconds(3)
        settings.memberTerm = .seconds(15)
        settings.grace = .seconds(1)
        var configuration = FleetConfiguration(name: "fleet", settings: settings)
        configuration.releaseAfter = .seconds(1)
        return configuration
    }

    @Test("The total is never exceeded, whatever fails", arguments: 1...16)
    func safety(seed: Int) throws {
        var fleet = SimulatedFleet(
            configuration: configuration(total: 16, floor: 1, processes: 8),
            faults: .all,
            demand: .independent(burstRate: 0.2),
            seed: seed
        )
        try fleet.run(for: .seconds(60))
    }

    @Test("Every kind of fault happens in the simulation")
    func faultsHappen() throws {
        var happened: [String: Int] = [:]
        for seed in 1...4 {
            var fleet = SimulatedFleet(
                configuration: configuration(total: 16, floor: 1, processes: 8),
                faults: .all,
                demand: .independent(burstRate: 0.2),
                seed: seed
            )
            try fleet.run(for: .seconds(30))
            happened.merge(fleet.happened) { $0 + $1 }
        }
        for fault in ["kill", "stop", "cut off", "clock jump", "store restart"] {
            #expect(happened[fault, default: 0] > 0, "\(fault): \(happened)")
        }
    }

    @Test("Bursts are served nearly as well as by one pool for all processes")
    func service() throws {
        var configuration = FleetConfiguration(name: "fleet", settings: .init(total: 200, floor: 1, processes: 100))
        configuration.releaseAfter = .seconds(1)
        var fleet = SimulatedFleet(
            configuration: configuration,
            faults: .init(),
            demand: .independent(burstRate: 0.05),
            seed: 1
        )
        try fleet.run(for: .seconds(70), measuringAfter: .seconds(20))
        let service = fleet.service.all
        func percent(_ served: Double) -> Int { Int((100 * served / service.wanted).rounded()) }
        print(
            """
            100 processes with 200 connections, in bursts: of the load, a static split serves \(percent(service.staticSplit)) %, \
            the fleet \(percent(service.fleet)) %, and one pool for all processes would serve \(percent(service.oracle)) %.
            """
        )
        #expect(service.gain > 0.7, "\(service)")
    }

    // MARK: 100 processes, with bursts that move

    @Test("100 processes with faults serve much more of their bursts than with a static split")
    func movingBursts() throws {
        let scenario = FleetScenario(processes: 100, hasFaults: true, releaseAfter: .seconds(1), seed: 1)
        let fleet = try scenario.run(for: .seconds(180))
        let served = fleet.service.bursts
        #expect(served.staticSplit < served.fleet, "\(served)")
        #expect(served.fleet <= served.oracle, "\(served)")
        #expect(served.gain > 0.55, "\(served)")
        for fault in ["kill", "stop", "cut off", "clock jump", "store restart"] {
            #expect(fleet.happened[fault, default: 0] > 0, "\(fault): \(fleet.happened)")
        }
    }

    /// A fleet whose budget is used up most of the time.
    private func tightScenario(restartInterval: Int, _ defect: SimulatedFleet.Defect? = nil) -> FleetScenario {
        FleetScenario(
            processes: 100,
            hasFaults: true,
            releaseAfter: .seconds(1),
            seed: 1,
            isTight: true,
            restartInterval: .seconds(restartInterval),
            defect: defect
        )
    }

    @Test("100 processes whose budget is used up do not exceed it", arguments: [20, 150])
    func tightBudget(restartInterval: Int) throws {
        let fleet = try tightScenario(restartInterval: restartInterval).run(for: .seconds(300))
        if restartInterval == 150 { #expect(fleet.greatestUsage > 380) }
    }

    @Test("The simulation notices a defect of the member or of the store", arguments: SimulatedFleet.Defect.allCases)
    func defects(defect: SimulatedFleet.Defect) {
        // A store without a recovery matters after a restart, and the store with one grants nothing for a while after each.
        let restartInterval =
            switch defect {
            case .memberOverstays: 150
            case .storeSkipsRecovery: 20
            }
        #expect(throws: SimulatedFleet.Violation.self) {
            let fleet = try tightScenario(restartInterval: restartInterval, defect).run(for: .seconds(300))
            Issue.record("At most \(fleet.greatestUsage) of 400 connections were used.")
        }
    }
}
