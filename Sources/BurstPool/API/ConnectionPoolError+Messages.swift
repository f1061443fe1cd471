// SPDX-License-Identifier: Apache-2.0

// The messages of the pool's errors.

extension ConnectionPoolError {
    static func invalidConfiguration(_ message: String, poolName: String) -> ConnectionPoolError {
        ConnectionPoolError(.invalidConfiguration, message: message, poolName: poolName)
    }

    static func groupShutDown(_ statistics: ConnectionPoolStatistics, poolName: String) -> ConnectionPoolError {
        ConnectionPoolError(
            .poolShutDown,
            message: "The group of pools was shut down. State: \(statistics).",
            poolName: poolName,
            statistics: statistics
        )
    }

    static func tooManyWaiters(
        _ statistics: ConnectionPoolStatistics,
        limit: Int?,
        because cause: ConnectionShortage,
        lastOpenError: (any Error)?,
        poolName: String
    ) -> ConnectionPoolError {
        let limit = limit.map { " and maxWaiters is \($0)" } ?? ""
        let lastError =
            cause == .serverUnreachable ? lastOpenError.map { " Last error: \(String(sentenceOf: $0))" } ?? "" : ""
        return ConnectionPoolError(
            .tooManyWaiters,
            message: """
                The wait queue is full: \(statistics.waiting) callers are waiting\(limit).\(lastError) \
                \(cause.advice) State: \(statistics).
                """,
            poolName: poolName,
            statistics: statistics,
            underlyingError: cause == .serverUnreachable ? lastOpenError : nil,
            shortage: cause
        )
    }

    static func overloaded(
        after timeout: Duration,
        _ shortage: Shortage,
        because cause: ConnectionShortage,
        poolName: String
    ) -> ConnectionPoolError {
        let advice = cause == .busy ? "Send fewer requests, or do the following. \(cause.advice)" : cause.advice
        return ConnectionPoolError(
            .overloaded,
            message: """
                The pool is overloaded, and the caller was rejected after \(timeout) so that others are served in time. \
                \(advice) State: \(shortage.statistics).
                """,
            poolName: poolName,
            statistics: shortage.statistics,
            underlyingError: shortage.lastOpenError,
            timeout: timeout,
            oldestLeaseAge: shortage.oldestLeaseAge,
            shortage: cause
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
            timeout: timeout,
            shortage: .serverUnreachable
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
                attempt is in \(nextAttempt).\(lastOpenError.map { " Last error: \(String(sentenceOf: $0))" } ?? "")
                """,
            poolName: poolName,
            statistics: statistics,
            underlyingError: lastOpenError,
            shortage: .serverUnreachable
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

    static func noLeases(poolName: String) -> ConnectionPoolError {
        ConnectionPoolError(
            .noLeases,
            message: """
                A connection opened, but its lease limit is 0, so it cannot be used. Check what leaseLimit(of:) of the \
                strategy returns for a connection that has just opened.
                """,
            poolName: poolName,
            shortage: .serverUnreachable
        )
    }

    /// For a validation that a health check has asked for.
    static func failedValidation(
        _ statistics: ConnectionPoolStatistics,
        isUnanswered: Bool = false,
        poolName: String
    ) -> ConnectionPoolError {
        ConnectionPoolError(
            .validationFailed,
            message: isUnanswered
                ? "The server did not answer the validation of a connection before the health check ended."
                : """
                A connection opened, but did not pass its validation. Check that the server is ready, and what \
                validateConnection(_:) of the strategy expects.
                """,
            poolName: poolName,
            statistics: statistics
        )
    }

    /// - Parameter timeout: The timeout of the caller; zero if the caller did not wait.
    @usableFromInline
    static func acquireTimedOut(
        timeout: Duration,
        _ shortage: Shortage,
        because cause: ConnectionShortage,
        poolName: String
    ) -> ConnectionPoolError {
        var message = "No connection was available within \(timeout). State: \(shortage.statistics)."
        if let age = shortage.oldestLeaseAge {
            message += " The oldest lease has lasted for at least \(age)."
        }
        if let error = shortage.lastOpenError {
            message += " The latest attempt to open a connection failed: \(String(sentenceOf: error))"
        }
        return ConnectionPoolError(
            .acquireTimedOut,
            message: message.contains(cause.advice) ? message : message + " " + cause.advice,
            poolName: poolName,
            statistics: shortage.statistics,
            underlyingError: shortage.lastOpenError,
            timeout: timeout,
            oldestLeaseAge: shortage.oldestLeaseAge,
            shortage: cause
        )
    }
}

/// What is known about why no connection is available. Made once for all callers whose timeouts pass at the same moment.
@usableFromInline
struct Shortage: Error {
    var statistics: ConnectionPoolStatistics
    var oldestLeaseAge: Duration?
    var lastOpenError: (any Error)?
    /// When a connection was last seen to open, to be validated or to come back.
    var lastProgress: UInt64

    /// Returns whether the pool was busy, or its server did not work, since a caller began to wait.
    func cause(since began: UInt64) -> ConnectionShortage {
        if lastProgress > began { return .busy }
        return lastOpenError == nil ? .serverUnresponsive : .serverUnreachable
    }
}

extension ConnectionShortage {
    /// What to do about it.
    fileprivate var advice: String {
        switch self {
        case .busy:
            "Other callers were served meanwhile. Hold connections for a shorter time, or raise maxSize or burstLimit."
        case .serverUnreachable: "Check that the server is running and reachable."
        case .serverUnresponsive:
            """
            No connection opened or came back meanwhile. Check that the server answers. If it does, look for leases that \
            last too long: set tracksLeases and see the pool's leases.
            """
        }
    }
}

extension String {
    /// What an error says, with a full stop at the end.
    init(sentenceOf error: any Error) {
        self = "\(error)"
        if !hasSuffix(".") { self += "." }
    }
}
