// SPDX-License-Identifier: Apache-2.0

/// Something that happened in a pool, as a ``ConnectionPoolObserver`` receives it.
///
/// Later versions can add cases, so a `switch` needs an `@unknown default`.
@nonexhaustive
public enum ConnectionPoolEvent: Sendable {
    // MARK: Connections

    /// A connection has opened. `wait` is the wait on whose behalf it was opened; `nil` if the pool opened it for its
    /// minimum of idle connections.
    case opened(duration: Duration, wait: ConnectionWait?)
    /// An attempt to open a connection has failed or has exceeded its time limit. `willRetry`: the caller waits for another
    /// attempt; otherwise it gets the error if it is still waiting.
    case openFailed(any Error, duration: Duration, willRetry: Bool, wait: ConnectionWait?)
    /// The close of a connection has ended, in time or late. `error` is what ``ConnectionStrategy/closeConnection(_:)`` threw,
    /// unless a caller received it.
    case closed(ConnectionCloseReason, error: (any Error)?)
    /// The close of a connection has exceeded ``ConnectionPoolConfiguration/closeTimeout``. Its slot is free, and the close
    /// continues.
    case closeTimedOut(ConnectionCloseReason)

    // MARK: Callers

    /// A caller joins the wait queue. This event and the next two are reported in the caller's task.
    case waitBegan(ConnectionWait)
    /// A caller has got a connection. Reported for connections that were idle only if the observer
    /// ``ConnectionPoolObserver/observesLeases``.
    case acquired(ConnectionAcquisition, waited: Duration, wait: ConnectionWait?)
    /// A caller has failed to get a connection: its time has passed, it was cancelled, the pool was shut down, a connection
    /// did not open, or the pool rejected it. Every failed acquisition is reported exactly once. `wait` is `nil` if the
    /// caller never joined the wait queue.
    case acquireFailed(any Error, waited: Duration, wait: ConnectionWait?)
    /// A caller has released its connection. Reported only if the observer ``ConnectionPoolObserver/observesLeases``.
    case released(held: Duration)

    // MARK: The pool

    /// The pool now has more connections than `maxSize`.
    case burstBegan(total: Int, maxSize: Int)
    /// Callers begin to wait because the pool has as many connections as it may have. Reported again after the queue was
    /// empty, or after the total was below the limit.
    case limitReached(total: Int)
    /// The pool no longer has more connections than `maxSize`.
    case burstEnded(total: Int, maxSize: Int)
    /// The circuit breaker has changed its state.
    case breakerChanged(ConnectionCircuitBreaker.State)
    /// A lease has lasted longer than ``ConnectionPoolConfiguration/leakThreshold``.
    case leaseOverdue(ConnectionLeaseLocation, age: Duration)
    /// An overdue lease has ended after all.
    case overdueLeaseReturned(ConnectionLeaseLocation, age: Duration)
    /// The pool was shut down inside a body of `withConnection`, by a task that holds so many connections. The shutdown does
    /// not wait for them, because it would wait for itself.
    case shutdownInsideBody(connections: Int)
    /// The last reference to the pool was dropped without a shutdown. The pool closes its connections in the background.
    case dropped(ConnectionPoolStatistics)
}

/// One wait of one caller, by which an observer can match the events of a connection and of the caller it was opened for.
/// No two waits of a pool are equal.
public struct ConnectionWait: Sendable, Hashable {
    let number: UInt64

    @usableFromInline
    init(number: UInt64) {
        self.number = number
    }
}

/// How a caller got its connection.
///
/// Later versions can add cases, so a `switch` needs an `@unknown default`.
@nonexhaustive
public enum ConnectionAcquisition: String, Sendable, Hashable {
    /// A connection was idle.
    case idle
    /// The caller got the connection that was opened on its behalf.
    case opened
    /// The caller waited, and a connection was handed off to it.
    case waited
}

/// Why a pool closed a connection.
///
/// Later versions can add cases, so a `switch` needs an `@unknown default`.
@nonexhaustive
public enum ConnectionCloseReason: String, Sendable, Hashable, CaseIterable {
    /// There were more connections than `maxSize`, and no caller was waiting.
    case excess
    /// The connection was idle for ``ConnectionPoolConfiguration/idleTimeout``.
    case idleTimeout
    /// The connection was open for ``ConnectionPoolConfiguration/maxLifetime`` or
    /// ``ConnectionStrategy/connectionLifetime(_:)``.
    case maxLifetime
    /// ``ConnectionPool/evictAll(over:)`` was called, or an error made the strategy ask for it.
    case evicted
    /// ``ConnectionStrategy/prepareConnection(_:)`` threw. The connection was never reported as opened.
    case preparationFailed
    /// ``ConnectionStrategy/connectionIsClosed(_:)`` returned `true` or threw, or the strategy reported that the connection
    /// has closed.
    case foundClosed
    /// ``ConnectionStrategy/validateConnection(_:)`` returned `false`, threw, or exceeded its time limit.
    case validationFailed
    /// ``ConnectionStrategy/resetConnection(_:)`` threw or exceeded its time limit.
    case resetFailed
    /// The holder of the lease discarded the connection, or an error of the body did.
    case discarded
    /// Another key of a ``ConnectionPoolGroup`` needed the place of the connection.
    case reclaimed
    /// The pool was shut down.
    case shutdown
}

/// The place in the source where a connection was acquired.
public struct ConnectionLeaseLocation: Sendable, Hashable, CustomStringConvertible {
    /// Module and file, in the form of `#fileID`.
    public let fileID: String
    public let line: Int

    public var description: String { "\(fileID):\(line)" }

    /// Creates a location, for tests of observers.
    public init(fileID: String, line: Int) {
        self.fileID = fileID
        self.line = line
    }

    /// Creates a location from the address of a string that is never freed, as a `StaticString` has; 0 for none.
    init(_ address: UInt, line: Int) {
        fileID = UnsafePointer<CChar>(bitPattern: address).map { String(cString: $0) } ?? ""
        self.line = line
    }
}
