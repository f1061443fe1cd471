import BurstPool

/// The statistics of a pool, for JSON.
struct PoolState: Sendable, Codable, Equatable {
    var total: Int
    var idle: Int
    var inUse: Int
    var connecting: Int
    var closing: Int
    var waiting: Int
    var maxSize: Int
    /// The hard limit, also where it is `maxSize`.
    var burstLimit: Int

    init(_ statistics: ConnectionPoolStatistics) {
        total = statistics.total
        idle = statistics.idle
        inUse = statistics.inUse
        connecting = statistics.opening
        closing = statistics.closing
        waiting = statistics.waiting
        maxSize = statistics.maxSize
        burstLimit = statistics.burstLimit ?? statistics.maxSize
    }
}
