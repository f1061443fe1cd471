import BurstPool

/// What a viewer is told of one moment, and of the time since the moment before.
struct PoolSample: Sendable, Codable, Equatable {
    /// Milliseconds since 1970.
    var time: Int
    /// The pool at this moment.
    var pool: PoolState
    /// The greatest values since the sample before. A burst can be shorter than the time between two samples.
    var peak: PoolPeak
    /// The average since the sample before.
    var mean: PoolMean
    /// Requests answered since the service started.
    var requests: Int
    /// Of these, how many with the status 503.
    var unavailable: Int
    /// Whether Redis was of use when it was last asked.
    var redisAnswers: Bool
}

struct PoolPeak: Sendable, Codable, Equatable {
    var total = 0
    var inUse = 0
    var waiting = 0
}

/// The parts add up to the average total.
struct PoolMean: Sendable, Codable, Equatable {
    var inUse = 0.0
    var idle = 0.0
    /// Being opened or closed.
    var changing = 0.0
}

/// Sums up several looks at a pool.
struct PoolLooks {
    private(set) var peak = PoolPeak()
    private var sum = (inUse: 0, idle: 0, changing: 0)
    private var count = 0

    mutating func note(_ statistics: ConnectionPoolStatistics) {
        peak.total = max(peak.total, statistics.total)
        peak.inUse = max(peak.inUse, statistics.inUse)
        peak.waiting = max(peak.waiting, statistics.waiting)
        sum.inUse += statistics.inUse
        sum.idle += statistics.idle
        sum.changing += statistics.opening + statistics.closing
        count += 1
    }

    var mean: PoolMean {
        guard count > 0 else { return PoolMean() }
        func average(_ sum: Int) -> Double { (Double(sum) / Double(count) * 1000).rounded() / 1000 }
        return PoolMean(inUse: average(sum.inUse), idle: average(sum.idle), changing: average(sum.changing))
    }
}
