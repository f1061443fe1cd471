// SPDX-License-Identifier: Apache-2.0

/// A summary of a run.
struct Summary {
    /// After a wait longer than this, in seconds, a caller has no more use for the connection.
    static let patience = 1.0

    /// A timer that is later than this, in seconds, shows that the machine did something else.
    static let tolerance = 0.005

    private let calls: [Call]
    /// The waits of callers that were served, ascending.
    private let waits: [Double]
    /// The number of measured seconds that count.
    let duration: Double
    let shareExcluded: Double

    /// Excludes whole seconds in which the machine did something else, and the second after each, in which the
    /// resulting queue disappears. Timers, which are independent of the pool, detect this.
    ///
    /// - Parameter warmUp: Callers that came in this number of first seconds are excluded as well.
    init(_ all: [Call], seconds: Int, warmUp: Int) {
        var counts = (0..<seconds).map { $0 >= warmUp }
        for call in all where call.lateness > Self.tolerance {
            let second = Int(call.moment)
            for disturbed in second...(second + 1) where disturbed < seconds { counts[disturbed] = false }
        }
        calls = all.filter { counts[Int($0.moment)] }
        waits = calls.filter(\.isServed).map(\.wait).sorted()
        let counting = counts.count { $0 }
        duration = Double(counting)
        shareExcluded = 1 - Double(counting) / Double(seconds - warmUp)
    }

    var count: Int { calls.count }

    var arrivalsPerSecond: Double { Double(calls.count) / duration }

    var meanUse: Double { calls.filter(\.isServed).map(\.use).reduce(0, +) / Double(max(1, waits.count)) }

    var meanWait: Double { waits.reduce(0, +) / Double(max(1, waits.count)) }

    /// Returns a quantile of the waits of callers that were served.
    func wait(quantile: Double) -> Double {
        waits.isEmpty ? .nan : waits[min(Int(Double(waits.count) * quantile), waits.count - 1)]
    }

    /// The number of callers per second that were served while they had a use for the connection.
    var goodput: Double { Double(waits.count { $0 <= Self.patience }) / duration }

    var shareRejected: Double { 1 - Double(waits.count) / Double(max(1, calls.count)) }

    /// The average wait of callers that were rejected, or 0 if none was.
    var meanWaitOfRejected: Double {
        let rejected = calls.filter { !$0.isServed }
        return rejected.map(\.wait).reduce(0, +) / Double(max(1, rejected.count))
    }
}
