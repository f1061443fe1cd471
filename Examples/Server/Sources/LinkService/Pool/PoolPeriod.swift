// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// Summarizes several readings of a pool's statistics.
struct PoolPeriod: Sendable {
    private(set) var peak = PoolPeak()
    private var sum = (inUse: 0, idle: 0, opening: 0, closing: 0)
    private var readings = 0
    private(set) var latencies = LatencyHistogram()
    private(set) var answers = true

    mutating func note(_ statistics: ConnectionPoolStatistics) {
        peak.total = max(peak.total, statistics.total)
        peak.inUse = max(peak.inUse, statistics.inUse)
        peak.leasesInUse = max(peak.leasesInUse, statistics.leasesInUse)
        peak.waiting = max(peak.waiting, statistics.waiting)
        sum.inUse += statistics.inUse
        sum.idle += statistics.idle
        sum.opening += statistics.opening
        sum.closing += statistics.closing
        readings += 1
    }

    mutating func note(_ acquires: LatencyHistogram, answers: Bool) {
        latencies.merge(acquires)
        self.answers = self.answers && answers
    }

    mutating func merge(_ other: PoolPeriod) {
        peak.total = max(peak.total, other.peak.total)
        peak.inUse = max(peak.inUse, other.peak.inUse)
        peak.leasesInUse = max(peak.leasesInUse, other.peak.leasesInUse)
        peak.waiting = max(peak.waiting, other.peak.waiting)
        sum.inUse += other.sum.inUse
        sum.idle += other.sum.idle
        sum.opening += other.sum.opening
        sum.closing += other.sum.closing
        readings += other.readings
        note(other.latencies, answers: other.answers)
    }

    var mean: PoolMean {
        guard readings > 0 else { return PoolMean() }
        func average(_ sum: Int) -> Double { (Double(sum) / Double(readings) * 1000).rounded() / 1000 }
        return PoolMean(
            inUse: average(sum.inUse),
            idle: average(sum.idle),
            opening: average(sum.opening),
            closing: average(sum.closing)
        )
    }

    /// - Parameter database: The database whose pool was read.
    func entry(of database: any LinkSource) -> PoolSample.Entry {
        PoolSample.Entry(
            name: database.name,
            isShared: database.pool.isShared,
            pool: PoolState(database.pool.statistics),
            peak: peak,
            mean: mean,
            acquires: PoolSample.Acquires(
                count: latencies.count,
                p50: latencies.quantile(0.5),
                p99: latencies.quantile(0.99)
            ),
            system: database.reachability.system,
            answers: answers
        )
    }
}
