// SPDX-License-Identifier: Apache-2.0

/// How much of the demand of a fleet was served at once, by the fleet and by two policies to compare it with.
///
/// - The *static split* gives each process the same part of the total, for ever.
/// - The *oracle* knows the demand of all processes and moves connections between them without delay, as one pool for all processes
///   would.
struct FleetService {
    /// Connections × seconds.
    struct Served {
        var wanted = 0.0
        var fleet = 0.0
        var staticSplit = 0.0
        var oracle = 0.0

        /// How much of what the oracle serves beyond the static split the fleet serves. 0 is the static split, and 1 is the oracle.
        var gain: Double { (fleet - staticSplit) / (oracle - staticSplit) }

        static func + (one: Served, other: Served) -> Served {
            Served(
                wanted: one.wanted + other.wanted,
                fleet: one.fleet + other.fleet,
                staticSplit: one.staticSplit + other.staticSplit,
                oracle: one.oracle + other.oracle
            )
        }

        static func * (one: Served, factor: Double) -> Served {
            Served(
                wanted: one.wanted * factor,
                fleet: one.fleet * factor,
                staticSplit: one.staticSplit * factor,
                oracle: one.oracle * factor
            )
        }
    }

    /// What the processes wanted and had at one moment, in connections.
    struct Moment {
        let at: Duration
        private(set) var quiet = Served()
        private(set) var bursts = Served()

        init(at moment: Duration) { at = moment }

        mutating func add(wanted: Int, permitted: Int, isBurst: Bool, split: Int) {
            let served = Served(
                wanted: Double(wanted),
                fleet: Double(min(wanted, permitted)),
                staticSplit: Double(min(wanted, split))
            )
            if isBurst { bursts = bursts + served } else { quiet = quiet + served }
        }

        /// The oracle serves the processes without a burst first.
        mutating func serveByOracle(_ total: Int) {
            quiet.oracle = min(quiet.wanted, Double(total))
            bursts.oracle = min(bursts.wanted, Double(total) - quiet.oracle)
        }
    }

    /// The demand of all processes.
    private(set) var all = Served()
    /// The demand of processes that have a burst, which want more than their floor.
    private(set) var bursts = Served()
    /// What the processes with a burst wanted and had in each second.
    private(set) var seconds: [Moment] = []

    mutating func add(_ moment: Moment, total: Int, lasting duration: Duration) {
        var moment = moment
        moment.serveByOracle(total)
        all = all + (moment.quiet + moment.bursts) * duration.inSeconds
        bursts = bursts + moment.bursts * duration.inSeconds
        if seconds.last.map({ moment.at - $0.at >= .seconds(1) }) ?? true { seconds.append(moment) }
    }
}
