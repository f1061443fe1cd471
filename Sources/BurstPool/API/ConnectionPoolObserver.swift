// SPDX-License-Identifier: Apache-2.0

/// Receives the events of a pool, for metrics, traces and logs.
///
/// The pool calls an observer from the task or thread in which an event happens, and from several at the same time. An
/// implementation must return quickly and must not block. A pool without an observer spends no time on events.
public protocol ConnectionPoolObserver: Sendable {
    /// Whether the observer receives an event for every lease of an idle connection and for every release. This costs each
    /// lease two reads of the clock and two calls. The pool asks once, when it is created. Default: `false`.
    var observesLeases: Bool { get }

    /// Whether the pool counts the leases of idle connections, for ``ConnectionPoolStatistics/idleLeases``. This costs each
    /// lease a few instructions. The pool asks once, when it is created. Default: `false`.
    var countsIdleLeases: Bool { get }

    /// Receives an event of the pool with this ``ConnectionPoolConfiguration/name``. The default passes the event to
    /// `connectionPool(_:)`.
    func connectionPool(named name: String, did event: ConnectionPoolEvent)

    /// Receives an event, for observers of a single pool. The default ignores it.
    func connectionPool(_ event: ConnectionPoolEvent)
}

extension ConnectionPoolObserver {
    public var observesLeases: Bool { false }
    public var countsIdleLeases: Bool { false }
    public func connectionPool(named name: String, did event: ConnectionPoolEvent) { connectionPool(event) }
    public func connectionPool(_ event: ConnectionPoolEvent) {}
}
