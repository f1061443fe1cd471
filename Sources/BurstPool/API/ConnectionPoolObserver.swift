/// Is told of what happens in a pool: for metrics, traces and logs.
///
/// Called from whatever task or thread an event happens on, at the same time from several, so implementations must be
/// quick and must not block. A pool without an observer does nothing for events.
public protocol ConnectionPoolObserver: Sendable {
    /// Whether to tell of each lease of an idle connection, and of each return. It costs two reads of the clock and two
    /// calls per lease, on the otherwise empty path of a connection that is idle. Asked once. Default: `false`.
    var observesLeases: Bool { get }

    /// Whether the pool counts the leases of idle connections, for ``ConnectionPoolStatistics/idleLeases``. It costs each of
    /// them a few instructions. Asked once. Default: `false`.
    var countsIdleLeases: Bool { get }

    /// Something has happened.
    func connectionPool(_ event: ConnectionPoolEvent)
}

extension ConnectionPoolObserver {
    public var observesLeases: Bool { false }
    public var countsIdleLeases: Bool { false }
}
