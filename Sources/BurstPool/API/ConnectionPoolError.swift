/// What a pool could not do, to what, and why.
///
/// Errors of the strategy and of the body are not wrapped: they reach the caller as they were thrown.
public struct ConnectionPoolError: Error {
    /// What kind of error it is. New kinds can be added, so a `switch` needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        enum Kind: String, Sendable {
            case invalidConfiguration, acquireTimedOut, poolShutDown, tooManyWaiters, outOfMemory
            case overloaded, connectTimedOut, circuitOpen, nestedAcquire
        }

        let kind: Kind

        /// Sizes or other settings are out of range or contradict each other.
        public static let invalidConfiguration = Code(kind: .invalidConfiguration)
        /// The deadline passed before a connection was free.
        public static let acquireTimedOut = Code(kind: .acquireTimedOut)
        /// The pool has been shut down, before the call or while it waited.
        public static let poolShutDown = Code(kind: .poolShutDown)
        /// As many callers wait as the pool can number or is configured to allow.
        public static let tooManyWaiters = Code(kind: .tooManyWaiters)
        /// The system has no memory for another connection's place or another waiter.
        public static let outOfMemory = Code(kind: .outOfMemory)
        /// The queue was standing, and the caller was not served within the time that
        /// ``ConnectionPoolConfiguration/loadShedding`` leaves in such a case.
        public static let overloaded = Code(kind: .overloaded)
        /// An attempt to open a connection took longer than ``ConnectionPoolConfiguration/connectTimeout``.
        public static let connectTimedOut = Code(kind: .connectTimedOut)
        /// There is no connection, and none is opened for a while, for opening has failed too often:
        /// ``ConnectionPoolConfiguration/circuitBreaker``.
        public static let circuitOpen = Code(kind: .circuitOpen)
        /// The calling task has all connections that there may be itself, and so would wait for itself.
        public static let nestedAcquire = Code(kind: .nestedAcquire)

        public var description: String { kind.rawValue }
    }

    /// What kind of error it is.
    public let code: Code

    /// What happened, to what, and what to do about it, in English.
    public let message: String

    /// The state of the pool at that moment; `nil` if there was no pool yet.
    public let statistics: ConnectionPoolStatistics?

    /// For ``Code/acquireTimedOut``, ``Code/overloaded`` and ``Code/circuitOpen``: the error of the latest attempt to open a
    /// connection that failed, if any has failed since a connection was last opened.
    public let underlyingError: (any Error)?

    /// For ``Code/acquireTimedOut``: how long the caller had been willing to wait.
    public let timeout: Duration?

    /// For ``Code/acquireTimedOut``: for how long the oldest lease had been out, at the least; `nil` if none was out,
    /// or if that was not looked at, as for a timeout of zero.
    public let oldestLeaseAge: Duration?

    init(
        _ code: Code,
        message: String,
        statistics: ConnectionPoolStatistics? = nil,
        underlyingError: (any Error)? = nil,
        timeout: Duration? = nil,
        oldestLeaseAge: Duration? = nil
    ) {
        self.code = code
        self.message = message
        self.statistics = statistics
        self.underlyingError = underlyingError
        self.timeout = timeout
        self.oldestLeaseAge = oldestLeaseAge
    }
}

extension ConnectionPoolError: CustomStringConvertible {
    public var description: String { "ConnectionPoolError.\(code): \(message)" }
}

extension ConnectionPoolError {
    static func invalidConfiguration(_ message: String) -> ConnectionPoolError {
        ConnectionPoolError(.invalidConfiguration, message: message)
    }

    @usableFromInline
    static func tooManyWaiters(_ statistics: ConnectionPoolStatistics) -> ConnectionPoolError {
        ConnectionPoolError(
            .tooManyWaiters,
            message: """
                as many callers wait for a connection as may: \(statistics); hold connections for a shorter time, or raise \
                maxSize, burstLimit or maxWaiters
                """,
            statistics: statistics
        )
    }

    @usableFromInline
    static func overloaded(after timeout: Duration, _ shortage: Shortage) -> ConnectionPoolError {
        ConnectionPoolError(
            .overloaded,
            message: """
                the queue has been standing for so long that callers are turned away after \(timeout): \
                \(shortage.statistics); ask for less, hold connections for a shorter time, or raise maxSize or burstLimit
                """,
            statistics: shortage.statistics,
            underlyingError: shortage.lastOpenError,
            timeout: timeout,
            oldestLeaseAge: shortage.oldestLeaseAge
        )
    }

    static func connectTimedOut(after timeout: Duration, _ statistics: ConnectionPoolStatistics) -> ConnectionPoolError
    {
        ConnectionPoolError(
            .connectTimedOut,
            message:
                "a connection did not open within \(timeout); look at the server and the network, or raise connectTimeout",
            statistics: statistics,
            timeout: timeout
        )
    }

    static func circuitOpen(
        _ statistics: ConnectionPoolStatistics,
        lastOpenError: (any Error)?
    ) -> ConnectionPoolError {
        ConnectionPoolError(
            .circuitOpen,
            message: """
                there is no connection, and none is opened for a while, for opening has failed too often\
                \(lastOpenError.map { ", lately with: \($0)" } ?? "")
                """,
            statistics: statistics,
            underlyingError: lastOpenError
        )
    }

    @usableFromInline
    static func nestedAcquire(_ statistics: ConnectionPoolStatistics) -> ConnectionPoolError {
        ConnectionPoolError(
            .nestedAcquire,
            message: """
                this task has all \(statistics.burstLimit ?? statistics.maxSize) connections that there may be itself, by calls of withConnection \
                around this one, and would wait for itself for ever: use the connection it has, or raise the limits
                """,
            statistics: statistics
        )
    }

    @usableFromInline
    static func outOfMemory(_ statistics: ConnectionPoolStatistics) -> ConnectionPoolError {
        ConnectionPoolError(
            .outOfMemory,
            message: "the system has no memory for another connection's place or another waiter",
            statistics: statistics
        )
    }

    @usableFromInline
    static func poolShutDown(_ statistics: ConnectionPoolStatistics) -> ConnectionPoolError {
        ConnectionPoolError(
            .poolShutDown,
            message: "the pool has been shut down and hands out no more connections",
            statistics: statistics
        )
    }

    @usableFromInline
    static func acquireTimedOut(timeout: Duration, _ shortage: Shortage) -> ConnectionPoolError {
        var message = "no connection was free within \(timeout): \(shortage.statistics)"
        if let age = shortage.oldestLeaseAge {
            message += "; the oldest lease has been out for at least \(age)"
        }
        if let error = shortage.lastOpenError {
            message += "; the latest attempt to open a connection failed: \(error)"
        } else if shortage.oldestLeaseAge != nil {
            message += "; hold connections for a shorter time, or raise maxSize or burstLimit"
        }
        return ConnectionPoolError(
            .acquireTimedOut,
            message: message,
            statistics: shortage.statistics,
            underlyingError: shortage.lastOpenError,
            timeout: timeout,
            oldestLeaseAge: shortage.oldestLeaseAge
        )
    }
}

/// What is known of why no connection is free. Made once for all callers whose time is up at the same moment.
@usableFromInline
struct Shortage: Error {
    var statistics: ConnectionPoolStatistics
    var oldestLeaseAge: Duration?
    var lastOpenError: (any Error)?
}
