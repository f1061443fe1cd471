// SPDX-License-Identifier: Apache-2.0

/// Which connection of a ``SharedConnectionPool`` serves a caller if several could.
///
/// More policies may be added, so a `switch` needs a `default`.
public struct SharedLeasePolicy: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: String {
        case warmFirst, fewestLeases
    }

    private let kind: Kind

    /// Fills the connections that are in use before another one is used or opened. This is the default.
    ///
    /// It needs the fewest connections, and connections without callers become idle. Requests that are sent together cost the
    /// least: on Redis, one write carries the commands of many tasks.
    public static let warmFirst = SharedLeasePolicy(kind: .warmFirst)

    /// Spreads the leases evenly over ``ConnectionPoolConfiguration/maxSize`` connections.
    ///
    /// A connection gets another lease only when no lease of any connection is idle, and all connections get one at the same
    /// time. So none has many leases while another one has few, up to the leases that one round of growth leaves idle. The pool
    /// opens connections up to `maxSize` beside the callers, which do not wait for them if an open connection has room.
    ///
    /// Use it if requests of one connection delay each other: large responses, or a server that works on each connection in a
    /// thread of its own.
    public static let fewestLeases = SharedLeasePolicy(kind: .fewestLeases)

    public var description: String { kind.rawValue }
}
