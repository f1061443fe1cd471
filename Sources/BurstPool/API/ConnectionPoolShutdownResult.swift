/// What ``ConnectionPool/shutdown(drainFor:)`` or ``ConnectionPool/abort(timeout:)`` has achieved when it returns.
public struct ConnectionPoolShutdownResult: Sendable, Hashable {
    /// The connections that are still there: in use, or not yet closed.
    public let remaining: ConnectionPoolStatistics

    /// Whether all connections are closed.
    ///
    /// If this is `false`, the time to drain has passed or the calling task was cancelled. Connections in use are still
    /// closed when they are released.
    public var isComplete: Bool { remaining.total == 0 }
}

extension ConnectionPoolShutdownResult: CustomStringConvertible {
    public var description: String {
        isComplete
            ? "All connections are closed."
            : "\(remaining.total) connections are left: \(remaining.inUse) in use, \(remaining.closing) closing."
    }
}
