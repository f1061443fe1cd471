/// How many connections a pool has, and what they are doing, at one moment.
///
/// Exact when nothing else is under way. While connections change hands, each is counted where it was when it was looked
/// at, so sums over several fields can be off by as many connections as moved meanwhile.
public struct ConnectionPoolStatistics: Sendable, Hashable {
    /// All connections: ``idle`` + ``inUse`` + ``connecting`` + ``closing``.
    public var total: Int { idle + inUse + connecting + closing }

    /// Open, and not leased.
    public internal(set) var idle: Int

    /// Leased by a caller.
    public internal(set) var inUse: Int

    /// Being opened.
    public internal(set) var connecting: Int

    /// Being closed. They count until the close has ended, for the server counts them too.
    public internal(set) var closing: Int

    /// Callers that are suspended until a connection is free, those for whom one is being opened included.
    public internal(set) var waiting: Int

    /// The soft limit in force; 0 once the pool has been shut down.
    public internal(set) var maxSize: Int

    /// The hard limit in force; `nil` if it is ``maxSize``.
    public internal(set) var burstLimit: Int?

    /// How many callers have found a connection idle, since the pool was made; `nil` unless its observer
    /// ``ConnectionPoolObserver/countsIdleLeases``.
    public internal(set) var idleLeases: Int?

    /// Whether there are more connections than ``maxSize``.
    public var isBursting: Bool { total > maxSize }

    init(_ counts: _PoolCoreCounts) {
        idle = counts.idle
        inUse = counts.leased
        connecting = counts.opening
        closing = counts.closing
        waiting = counts.waiting
        maxSize = counts.maxSize
        burstLimit = counts.hardLimit == counts.maxSize ? nil : counts.hardLimit
    }
}

extension ConnectionPoolStatistics: CustomStringConvertible {
    public var description: String {
        let limits = burstLimit.map { "maxSize \(maxSize), burstLimit \($0)" } ?? "maxSize \(maxSize)"
        return """
            \(total) connections (\(idle) idle, \(inUse) in use, \(connecting) connecting, \(closing) closing), \
            \(waiting) waiting, \(limits)
            """
    }
}
