// SPDX-License-Identifier: Apache-2.0

/// What ``ConnectionPool/shutdown(drainFor:)`` or ``ConnectionPool/abort(timeout:)`` has achieved when it returns.
public struct ConnectionPoolShutdownResult: Sendable, Hashable {
    /// The connections that are still there: in use, or not yet closed.
    public let remaining: ConnectionPoolStatistics

    /// The number of connections that the calling task itself holds, because the call was made inside a body of
    /// `withConnection`. The shutdown did not wait for them; they are closed when the bodies end.
    public let heldByCaller: Int

    /// Whether all connections are closed.
    ///
    /// If this is `false`, the time to drain has passed, the calling task was cancelled, or the calling task itself holds
    /// connections. Connections in use are still closed when they are released.
    public var isComplete: Bool { remaining.total == 0 }
}

extension ConnectionPoolShutdownResult: CustomStringConvertible {
    public var description: String {
        if isComplete { return "All connections are closed." }
        let left = "\(remaining.total) connections are left: \(remaining.inUse) in use, \(remaining.closing) closing."
        guard heldByCaller > 0 else { return left }
        return """
            \(left) The task that shut the pool down holds \(heldByCaller) of them, because it did so inside a body of \
            withConnection. Shut the pool down after the body.
            """
    }
}
