// SPDX-License-Identifier: Apache-2.0

import BurstPoolFleet
import Foundation

/// What the simulation of one fleet has shown, as text.
struct FleetResult {
    static let heading = """
        burst demand that was served at once
        processes  total  faults  releaseAfter  static split  fleet  oracle  of the possible gain  greatest sum
        """

    let scenario: FleetScenario
    let fleet: SimulatedFleet

    init(_ scenario: FleetScenario, _ fleet: SimulatedFleet) {
        self.scenario = scenario
        self.fleet = fleet
    }

    private var served: FleetService.Served { fleet.service.bursts }

    var staticSplit: Double { served.staticSplit / served.wanted }
    var ofFleet: Double { served.fleet / served.wanted }
    var oracle: Double { served.oracle / served.wanted }

    var row: String {
        let columns = [
            (9, "\(scenario.processes)"), (5, "\(fleet.configuration.settings.total)"),
            (6, scenario.hasFaults ? "yes" : "no"), (12, "\(scenario.releaseAfter.components.seconds) s"),
            (12, Self.percent(staticSplit)), (5, Self.percent(ofFleet)),
            (6, Self.percent(oracle)), (20, Self.percent(served.gain)), (12, "\(fleet.greatestUsage)"),
        ]
        return columns.map { width, text in
            String(repeating: " ", count: max(0, width - text.count)) + text
        }.joined(separator: "  ")
    }

    var faults: String {
        let counts = fleet.happened.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return
            "\(scenario.processes) processes, releaseAfter \(scenario.releaseAfter.components.seconds) s: \(counts.joined(separator: ", "))"
    }

    static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
}
