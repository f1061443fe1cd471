// The messages of the pool's errors.

extension ConnectionPoolError {
    static func invalidConfiguration(_ message: String, poolName: String) -> ConnectionPoolError {
        ConnectionPoolError(.invalidConfiguration, message: message, poolName: poolName)
    }

    static func tooManyWaiters(
        _ statistics: ConnectionPoolStatistics,
        limit: Int?,
        poolName: String
    ) -> ConnectionPoolError {
        let limit = limit.map { " and maxWaiters is \($0)" } ?? ""
        return ConnectionPoolError(
            .tooManyWaiters,
            message: """
                The wait queue is full: \(statistics.waiting) callers are waiting\(limit). Hold connections for a shorter \
                time, or raise maxSize, burstLimit or maxWaiters. State: \(statistics).
                """,
            poolName: poolName,
            statistics: statistics
        )
    }

    static func overloaded(after timeout: Duration, _ shortage: Shortage, poolName: String) -> ConnectionPoolError {
        ConnectionPoolError(
            .overloaded,
            message: """
                The pool is overloaded, and the caller was rejected after \(timeout) so that others are served in time. \
                Send fewer requests, hold connections for a shorter time, or raise maxSize or burstLimit. \
                State: \(shortage.statistics).
                """,
            poolName: poolName,
            statistics: shortage.statistics,
            underlyingError: shortage.lastOpenError,
            timeout: timeout,
            oldestLeaseAge: shortage.oldestLeaseAge
        )
    }

    static func connectTimedOut(
        after timeout: Duration,
        _ statistics: ConnectionPoolStatistics,
        poolName: String
    ) -> ConnectionPoolError {
        ConnectionPoolError(
            .connectTimedOut,
            message: """
                A connection did not open within \(timeout). Check that the server is running and reachable, or raise \
                connectTimeout.
                """,
            poolName: poolName,
            statistics: statistics,
            timeout: timeout
        )
    }

    static func circuitOpen(
        _ statistics: ConnectionPoolStatistics,
        nextAttempt: Duration,
        lastOpenError: (any Error)?,
        poolName: String
    ) -> ConnectionPoolError {
        ConnectionPoolError(
            .circuitOpen,
            message: """
                The circuit breaker is open after failed connection attempts, and no connection is available. The next \
                attempt is in \(nextAttempt).\(lastOpenError.map { " Last error: \($0)." } ?? "")
                """,
            poolName: poolName,
            statistics: statistics,
            underlyingError: lastOpenError
        )
    }

    @usableFromInline
    static func nestedAcquire(_ statistics: ConnectionPoolStatistics, poolName: String) -> ConnectionPoolError {
        ConnectionPoolError(
            .nestedAcquire,
            message: """
                This task already holds all \(statistics.burstLimit ?? statistics.maxSize) connections, so waiting for \
                another would deadlock. Use the connection of the outer withConnection, or raise maxSize or burstLimit.
                """,
            poolName: poolName,
            statistics: statistics
        )
    }

    @usableFromInline
    static func outOfMemory(_ statistics: ConnectionPoolStatistics?, poolName: String) -> ConnectionPoolError {
        ConnectionPoolError(
            .outOfMemory,
            message:
                "The system has no memory for another slot or waiter. Free memory, or lower the limits of the pool.",
            poolName: poolName,
            statistics: statistics
        )
    }

    @usableFromInline
    static func poolShutDown(_ statistics: ConnectionPoolStatistics, poolName: String) -> ConnectionPoolError {
        ConnectionPoolError(
            .poolShutDown,
            message: "The pool was shut down and hands out no more connections. Create a new pool to continue.",
            poolName: poolName,
            statistics: statistics
        )
    }

    @usableFromInline
    static func acquireTimedOut(timeout: Duration, _ shortage: Shortage, poolName: String) -> ConnectionPoolError {
        var message = "No connection was available within \(timeout). State: \(shortage.statistics)."
        if let age = shortage.oldestLeaseAge {
            message += " The oldest lease has lasted for at least \(age)."
        }
        if let error = shortage.lastOpenError {
            message += " The latest attempt to open a connection failed: \(error)."
        }
        if let advice = shortage.advice { message += " " + advice }
        return ConnectionPoolError(
            .acquireTimedOut,
            message: message,
            poolName: poolName,
            statistics: shortage.statistics,
            underlyingError: shortage.lastOpenError,
            timeout: timeout,
            oldestLeaseAge: shortage.oldestLeaseAge
        )
    }
}

/// What is known about why no connection is available. Made once for all callers whose timeouts pass at the same moment.
@usableFromInline
struct Shortage: Error {
    var statistics: ConnectionPoolStatistics
    var oldestLeaseAge: Duration?
    var lastOpenError: (any Error)?

    /// What to do: first the server if connections do not open, then the holders of connections.
    fileprivate var advice: String? {
        if lastOpenError != nil { return "Check that the server is running and reachable." }
        guard statistics.inUse > 0 else {
            return statistics.opening > 0
                ? "Connections take long to open: check that the server is reachable and not overloaded." : nil
        }
        return """
            Hold connections for a shorter time, or raise maxSize or burstLimit. If leases last longer than requests \
            should, check that the server answers.
            """
    }
}
