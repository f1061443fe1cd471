// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// The statistics of a pool, for JSON.
struct PoolState: Sendable, Codable, Equatable {
    var total: Int
    var idle: Int
    var inUse: Int
    var opening: Int
    var closing: Int
    /// The leases that requests hold. More than `inUse` if requests share connections.
    var leasesInUse: Int
    var waiting: Int
    var maxSize: Int
    /// The hard limit, which is `maxSize` for a pool without a burst limit.
    var burstLimit: Int

    init(_ statistics: ConnectionPoolStatistics) {
        total = statistics.total
        idle = statistics.idle
        inUse = statistics.inUse
        opening = statistics.opening
        closing = statistics.closing
        leasesInUse = statistics.leasesInUse
        waiting = statistics.waiting
        maxSize = statistics.maxSize
        burstLimit = statistics.burstLimit ?? statistics.maxSize
    }
}
