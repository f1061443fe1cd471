// SPDX-License-Identifier: Apache-2.0

/// What a pool knows about its server and about its load.
///
/// ``ConnectionPool/health`` answers at once, from what the pool has seen. ``ConnectionPool/checkHealth(timeout:)`` finds out.
/// Load and outages are told apart: a pool whose connections are all in use is healthy as long as they come back.
public struct ConnectionPoolHealth: Sendable {
    /// Whether the pool can serve callers.
    ///
    /// Later versions can add cases, so a `switch` needs an `@unknown default`.
    @nonexhaustive
    public enum Status: String, Sendable, Hashable {
        /// Nothing is known yet: no connection has opened, and no attempt has failed.
        case unknown
        /// Connections open, pass their validation, or come back from bodies that return. The pool may be saturated.
        case healthy
        /// Callers wait, and no connection opens or comes back. Either the server does not answer, or the holders of the
        /// connections keep them for very long.
        case unresponsive
        /// Attempts to open a connection fail.
        case failing
        /// The pool was shut down.
        case shutDown
    }

    /// Whether the pool can serve callers.
    public let status: Status

    /// Whether ``status-swift.property`` is ``Status-swift.enum/healthy``.
    public var isHealthy: Bool { status == .healthy }

    /// Whether callers wait and the pool has as many connections as it may have. This says nothing about the server.
    public let isSaturated: Bool

    /// How long ago the pool saw a success: a connection that opened, was validated, or came back from a body that returned;
    /// `nil` if there was none.
    ///
    /// No clock is read when a connection comes back. A return is noticed when a caller joins the wait queue, when maintenance
    /// looks at the connections, and when the health is read, so it can have been earlier, by as much as the time since the
    /// health was last read.
    public let sinceLastSuccess: Duration?

    /// How long ago ``lastFailure`` was; `nil` if there was none.
    public let sinceLastFailure: Duration?

    /// The error of the latest attempt to open a connection that has failed, or of the probe of
    /// ``ConnectionPool/checkHealth(timeout:)``.
    public let lastFailure: (any Error)?

    /// How long the caller that has waited for the longest time has been waiting; `nil` if no caller waits.
    public let oldestWait: Duration?

    /// Whether the pool is between ``ConnectionPool/pause()`` and ``ConnectionPool/resume()``. Nothing is probed meanwhile.
    public let isPaused: Bool

    /// The numbers of connections and waiters.
    public let statistics: ConnectionPoolStatistics
}

extension ConnectionPoolHealth: CustomStringConvertible {
    /// The status and its reason in a sentence or two, for logs and for the answer to a readiness probe.
    public var description: String {
        var sentences: [String] = []
        switch status {
        case .unknown: sentences.append("No connection has been opened yet.")
        case .healthy where isSaturated:
            sentences.append("The pool is saturated: all connections are in use, and they come back.")
        case .healthy: sentences.append("The pool works.")
        case .unresponsive:
            sentences.append(
                """
                No connection opens or comes back. The server may not be answering, or connections are held for very long.
                """
            )
        case .failing: sentences.append("Connections do not open.")
        case .shutDown: sentences.append("The pool was shut down.")
        }
        if status != .healthy, let lastFailure {
            let age = sinceLastFailure.map { " \(readable($0)) ago" } ?? ""
            sentences.append("The latest failure was\(age): \(String(sentenceOf: lastFailure))")
        }
        if isPaused { sentences.append("The pool is paused.") }
        if let oldestWait { sentences.append("The oldest waiter has been waiting for \(readable(oldestWait)).") }
        sentences.append("State: \(statistics).")
        return sentences.joined(separator: " ")
    }
}
