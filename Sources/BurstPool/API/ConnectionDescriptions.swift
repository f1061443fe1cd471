// SPDX-License-Identifier: Apache-2.0

/// A connection in use: where and by which task it was acquired, and how long it has been in use.
public struct ConnectionLeaseDescription: Sendable, Hashable {
    /// The number of the connection in its pool, in the order in which connections were opened, from 1. A connection that
    /// replaces another one has a number of its own.
    public let connection: UInt64

    /// Where in the source the connection was acquired. `nil` unless the pool tracks leases
    /// (``ConnectionPoolConfiguration/tracksLeases``), and for a connection that the pool itself uses.
    public let location: ConnectionLeaseLocation?

    /// The name of the task that has acquired the connection; `nil` if the task has none, or if the pool does not track leases.
    /// Shortened to 56 bytes.
    public let taskName: String?

    /// How long the connection has been in use, at least.
    ///
    /// No clock is read when an idle connection is acquired. In a pool that tracks leases, the age is up to 1 second too small.
    /// In other pools the age is counted from the moment at which the pool first saw the lease.
    public let age: Duration

    /// Whether the pool itself uses the connection, for a validation, a reset or ``ConnectionPool/forEachConnection(_:)``.
    /// `false` in pools that do not track leases, which do not know.
    public let isInternal: Bool
}

extension ConnectionLeaseDescription: CustomStringConvertible {
    public var description: String {
        let holder =
            if isInternal { "the pool itself" } else { describe(location, taskName) ?? "an unknown place" }
        return "connection \(connection), for \(readable(age)), by \(holder)"
    }
}

/// One caller that waits for a connection.
public struct ConnectionWaiterDescription: Sendable, Hashable {
    /// Where in the source the caller asks for a connection. `nil` unless the pool tracks leases
    /// (``ConnectionPoolConfiguration/tracksLeases``).
    public let location: ConnectionLeaseLocation?

    /// The name of the caller's task; `nil` if the task has none, or if the pool does not track leases. Shortened to 56 bytes.
    public let taskName: String?

    /// How long the caller has been waiting.
    public let age: Duration
}

extension ConnectionWaiterDescription: CustomStringConvertible {
    public var description: String { "for \(readable(age)), by \(describe(location, taskName) ?? "an unknown place")" }
}

/// Everything about a pool that helps to understand an incident, for a signal handler or an HTTP endpoint.
///
/// ```swift
/// print(pool.snapshot)
/// ```
public struct ConnectionPoolSnapshot: Sendable {
    /// The ``ConnectionPoolConfiguration/name`` of the pool.
    public let poolName: String
    public let health: ConnectionPoolHealth
    /// The connections in use, the one that has been in use for the longest time first.
    public let leases: [ConnectionLeaseDescription]
    /// The callers that wait, the one that has waited for the longest time first.
    public let waiters: [ConnectionWaiterDescription]
}

extension ConnectionPoolSnapshot: CustomStringConvertible {
    /// Several lines of text: the health, one line for each connection in use, and one line for each of the first 20 waiters.
    public var description: String {
        var lines = ["Pool \"\(poolName)\": \(health.status.rawValue). \(health)"]
        lines += leases.map { "  in use: \($0)" }
        lines += waiters.prefix(20).map { "  waits: \($0)" }
        if waiters.count > 20 { lines.append("  and \(waiters.count - 20) more callers wait") }
        return lines.joined(separator: "\n")
    }
}

private func describe(_ location: ConnectionLeaseLocation?, _ taskName: String?) -> String? {
    guard let location else { return nil }
    return taskName.map { "\(location) in task \"\($0)\"" } ?? "\(location)"
}

/// Returns a duration in milliseconds or seconds.
func readable(_ duration: Duration) -> String {
    let milliseconds = duration / .milliseconds(1)
    if milliseconds < 1_000 { return "\(Int(milliseconds)) ms" }
    return "\(Double(Int(milliseconds / 10)) / 100) s"
}
