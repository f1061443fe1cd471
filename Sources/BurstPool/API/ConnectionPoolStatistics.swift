// SPDX-License-Identifier: Apache-2.0

/// How many connections a pool has and what they are doing, at one moment.
///
/// The numbers are exact while nothing else happens. Otherwise each connection is counted in the state in which it was seen,
/// so a sum of several fields can be off by the connections that changed their state meanwhile.
public struct ConnectionPoolStatistics: Sendable, Hashable {
    /// All connections: ``idle`` + ``inUse`` + ``opening`` + ``closing``.
    public var total: Int { idle + inUse + opening + closing }

    /// The connections that are open and not leased.
    public internal(set) var idle: Int

    /// The connections that are leased by a caller, or used by the pool itself for a validation or a reset.
    public internal(set) var inUse: Int

    /// The connections that are being opened.
    public internal(set) var opening: Int

    /// The connections that are being closed. They count until the close has ended, because the server counts them too.
    public internal(set) var closing: Int

    /// The callers that are suspended until they get a connection, including those for whom one is being opened.
    public internal(set) var waiting: Int

    /// The leases that callers hold. Several of them can be of one connection of a ``SharedConnectionPool``. Equal to ``inUse``
    /// in a pool whose connections are not shared.
    public internal(set) var leasesInUse: Int

    /// The leases that callers can get at once. Equal to ``idle`` in a pool whose connections are not shared. In a shared pool
    /// these are leases of connections that are or were in use; a connection that has rested for a while counts as 1.
    public internal(set) var leasesIdle: Int

    /// The soft limit in force; 0 after the pool was shut down.
    public internal(set) var maxSize: Int

    /// The hard limit in force; `nil` if it is equal to ``maxSize``.
    public internal(set) var burstLimit: Int?

    /// The number of acquisitions of an idle connection since the pool was created; `nil` unless its observer counts them
    /// (``ConnectionPoolObserver/countsIdleLeases``).
    public internal(set) var idleLeases: Int?

    /// Whether there are more connections than ``maxSize``.
    public var isBursting: Bool { total > maxSize }

    init(_ counts: _PoolCoreCounts) {
        idle = counts.idle
        inUse = counts.leased
        opening = counts.opening
        closing = counts.closing
        waiting = counts.waiting
        leasesInUse = counts.leased
        leasesIdle = counts.idle
        maxSize = counts.limits.maxSize
        burstLimit = counts.limits.hardLimit == counts.limits.maxSize ? nil : counts.limits.hardLimit
    }

    /// Adds the numbers of another pool. The limits stay as they are.
    mutating func add(_ other: ConnectionPoolStatistics) {
        idle += other.idle
        inUse += other.inUse
        opening += other.opening
        closing += other.closing
        waiting += other.waiting
        if let leases = other.idleLeases { idleLeases = (idleLeases ?? 0) + leases }
    }

    @available(*, deprecated, renamed: "opening")
    public var connecting: Int { opening }
}

extension ConnectionPoolStatistics: CustomStringConvertible {
    public var description: String {
        let limits = burstLimit.map { "maxSize \(maxSize), burstLimit \($0)" } ?? "maxSize \(maxSize)"
        return """
            \(total) connections (\(idle) idle, \(inUse) in use, \(opening) opening, \(closing) closing), \
            \(waiting) waiting, \(limits)
            """
    }
}
