// SPDX-License-Identifier: Apache-2.0

import BurstPoolFleet

/// A fleet of which a fifth of the processes has a burst at any moment, with the default terms of a fleet.
struct FleetScenario {
    let processes: Int
    let hasFaults: Bool
    /// ``FleetConfiguration/releaseAfter``.
    let releaseAfter: Duration
    let seed: Int
    /// Whether half of the processes have a burst, and no floors are reserved for processes that replace killed ones. Then the
    /// budget is used up most of the time.
    var isTight = false
    /// How often the store is restarted and has lost data.
    var restartInterval = Duration.seconds(150)
    var defect: SimulatedFleet.Defect?

    /// At first the store recovers for the term and the grace. A fleet does that once, and it is not measured.
    static let warmUp = Duration.seconds(20)

    /// Four connections for each process. Floors are reserved for a fifth more processes than there are, because the floor of a
    /// process that was killed is occupied for 15 minutes.
    var configuration: FleetConfiguration {
        let spare = isTight ? 0 : max(2, processes / 5)
        let settings = FleetSettings(total: 4 * processes, floor: 1, processes: processes + spare)
        var configuration = FleetConfiguration(name: "fleet", settings: settings)
        configuration.releaseAfter = releaseAfter
        return configuration
    }

    /// Each process is killed once in 50 minutes on average. It is stopped, for up to 30 seconds, once in 10 minutes, and cut off from
    /// the store, for 20 seconds on average, once in 10 minutes. One message in 100 is lost. The store is restarted every
    /// ``restartInterval``, is away for up to 10 seconds, and has lost some or all of its data. Its clock jumps by up to an hour once in 100 seconds.
    var faults: SimulatedFleet.Faults {
        guard hasFaults else { return .init() }
        let count = Double(processes)
        return .init(
            kill: count / 3000,
            stop: count / 600,
            cutOff: count / 600,
            storeRestartEvery: restartInterval,
            clockJump: 1.0 / 100,
            loss: 0.01
        )
    }

    /// Returns the fleet after a warm-up and a time that is measured.
    ///
    /// - Throws: ``SimulatedFleet/Violation`` if the total was exceeded.
    func run(for duration: Duration) throws -> SimulatedFleet {
        var fleet = SimulatedFleet(
            configuration: configuration,
            size: processes,
            faults: faults,
            demand: .moving(bursts: max(1, isTight ? processes / 2 : processes / 5), sizes: 4...16),
            defect: defect,
            seed: seed
        )
        try fleet.run(for: Self.warmUp + duration, measuringAfter: Self.warmUp)
        return fleet
    }
}
