// SPDX-License-Identifier: Apache-2.0

/// What to expect of a pool under a load.
public struct PoolForecast: Sendable, Hashable {
    /// The settings of the pool.
    public let policy: PoolPolicy
    /// The share of the time for which each connection is in use while the pool has as many as it may have. From 1 on, the queue
    /// grows until callers time out.
    public let load: Double
    /// The number of callers that were measured.
    public let callers: Int
    /// How long callers wait on average. Callers that do not wait count with zero, and callers that time out with the timeout.
    public let meanWait: Duration
    /// The share of the callers that wait.
    public let shareThatWaits: Double
    /// The share of the callers that time out.
    public let shareThatTimesOut: Double
    /// How many connections are opened per second.
    public let connectsPerSecond: Double
    /// How many connections there are on average, including opening ones.
    public let meanConnections: Double
    /// The most connections at any moment, including opening ones.
    public let peakConnections: Int
    /// The waits above zero, ascending.
    private let waits: [Double]

    init(_ policy: PoolPolicy, _ measures: Measures, load: Double) {
        self.policy = policy
        self.load = load
        callers = measures.callers
        waits = measures.waits.sorted()
        let count = Double(max(1, measures.callers))
        meanWait = .seconds(waits.reduce(0, +) / count)
        shareThatWaits = Double(waits.count) / count
        shareThatTimesOut = Double(measures.timedOut) / count
        connectsPerSecond = measures.duration > 0 ? Double(measures.opened) / measures.duration : 0
        meanConnections = measures.meanOpen
        peakConnections = measures.peakOpen
    }

    /// Whether callers need as much as the connections can do, or more. The waits then say only how long the simulation was.
    public var isOverloaded: Bool { load >= 1 }

    /// Returns the wait that this share of the callers does not exceed.
    ///
    /// - Parameter share: From 0 to 1. Other values count as the nearer of the two.
    public func wait(quantile share: Double) -> Duration {
        let share = share.isNaN ? 0 : min(max(share, 0), 1)
        let rank = max(1, Int((share * Double(callers)).rounded(.up)))
        let index = rank - 1 - (callers - waits.count)
        return waits.indices.contains(index) ? .seconds(waits[index]) : .zero
    }
}
