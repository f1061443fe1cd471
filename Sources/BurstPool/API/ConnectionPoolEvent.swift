/// Something that happened in a pool, as a ``ConnectionPoolObserver`` is told of it.
///
/// New cases can be added, so a `switch` needs a `default`.
public enum ConnectionPoolEvent: Sendable {
    // MARK: Connections

    /// A connection has opened. `wait`: on whose behalf; `nil`: the pool's own, to have enough of them idle.
    case opened(duration: Duration, wait: ConnectionWait?)
    /// A connection did not open, or was not open in time. `willRetry`: the caller goes on waiting for another attempt;
    /// else it is told, if it still waits.
    case openFailed(any Error, duration: Duration, willRetry: Bool, wait: ConnectionWait?)
    /// A connection was closed, be it late; `error`: what ``ConnectionStrategy/closeConnection(_:)`` threw, if no caller was told.
    case closed(ConnectionCloseReason, error: (any Error)?)
    /// Closing a connection has taken longer than ``ConnectionPoolConfiguration/closeTimeout``. Its place is free; the close
    /// goes on.
    case closeTimedOut(ConnectionCloseReason)

    // MARK: Callers

    /// A caller joins the queue. Told in the caller's task, as are the next two.
    case waitBegan(ConnectionWait)
    /// A caller has got a connection. One that was idle is told of only if ``ConnectionPoolObserver/observesLeases``.
    case acquired(ConnectionAcquisition, waited: Duration, wait: ConnectionWait?)
    /// A caller that waited got no connection: time was up, it was cancelled, the pool was shut down, a connection did
    /// not open. Without a `wait` it was waiting for a connection to be validated, and not in the queue.
    case acquireFailed(any Error, waited: Duration, wait: ConnectionWait?)
    /// A caller was turned away so that the others are served in time: see ``ConnectionPoolConfiguration/maxWaiters`` and
    /// ``ConnectionPoolConfiguration/loadShedding``.
    case shed(ConnectionPoolError)
    /// A caller has given its connection back. Only if ``ConnectionPoolObserver/observesLeases``.
    case released(held: Duration)

    // MARK: The pool

    /// There are more connections than `maxSize` now.
    case burstBegan(total: Int, maxSize: Int)
    /// There are as many connections as there may be, and somebody waits.
    case limitReached(total: Int)
    /// There are no more connections than `maxSize` any more.
    case burstEnded(total: Int, maxSize: Int)
    /// The circuit breaker has another state.
    case breakerChanged(ConnectionCircuitBreaker.State)
    /// A lease has been out for longer than ``ConnectionPoolConfiguration/leakThreshold``.
    case leaseOverdue(ConnectionLeaseLocation, age: Duration)
    /// A lease that was overdue has come back after all.
    case overdueLeaseReturned(ConnectionLeaseLocation, age: Duration)
}

/// One wait of one caller, so that an observer can tell which connection was opened for whom. Never used twice by a pool.
public struct ConnectionWait: Sendable, Hashable {
    let number: UInt64

    @usableFromInline
    init(number: UInt64) {
        self.number = number
    }
}

/// How a caller got its connection.
public enum ConnectionAcquisition: String, Sendable, Hashable {
    /// One was idle.
    case idle
    /// The one that was opened on its behalf.
    case opened
    /// It waited, and one was handed over to it.
    case waited
}

/// Why a pool closed a connection.
public enum ConnectionCloseReason: String, Sendable, Hashable, CaseIterable {
    /// There were more than `maxSize`, and nobody waited.
    case excess
    /// It was idle for ``ConnectionPoolConfiguration/idleTimeout``.
    case idleTimeout
    /// It was as old as ``ConnectionPoolConfiguration/maxLifetime`` allows.
    case maxLifetime
    /// ``ConnectionPool/evictAll(over:)`` was called.
    case evicted
    /// ``ConnectionStrategy/prepareConnection(_:)`` threw. Only in ``ConnectionPoolEvent/closeTimedOut(_:)``: such a
    /// connection never counted as opened, and its failure is told as one to open.
    case preparationFailed
    /// ``ConnectionStrategy/connectionIsClosed(_:)`` said so, or threw.
    case foundClosed
    /// ``ConnectionStrategy/validateConnection(_:)`` said no, threw, or took too long.
    case validationFailed
    /// ``ConnectionStrategy/resetConnection(_:)`` threw.
    case resetFailed
    /// ``ConnectionLease/discard()`` was called, or an error of the body showed it to be broken.
    case discarded
    /// The pool was shut down.
    case shutdown
}

/// Where in the source a lease was taken.
public struct ConnectionLeaseLocation: Sendable, Hashable, CustomStringConvertible {
    /// Module and file, as `#fileID` has it.
    public let fileID: String
    public let line: Int

    public var description: String { "\(fileID):\(line)" }
}
