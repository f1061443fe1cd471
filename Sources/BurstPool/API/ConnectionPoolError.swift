// SPDX-License-Identifier: Apache-2.0

/// What a pool could not do, in which pool, and why.
///
/// Errors of the strategy and of bodies are not wrapped: they reach the caller as they were thrown.
public struct ConnectionPoolError: Error {
    /// The kind of an error. Later versions can add kinds, so a `switch` needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        enum Kind: String, Sendable {
            case invalidConfiguration, acquireTimedOut, poolShutDown, tooManyWaiters, outOfMemory
            case overloaded, connectTimedOut, circuitOpen, nestedAcquire, validationFailed, noLeases
        }

        let kind: Kind

        /// Settings are out of range or contradict each other.
        public static let invalidConfiguration = Code(kind: .invalidConfiguration)
        /// No connection was available before the caller's timeout.
        public static let acquireTimedOut = Code(kind: .acquireTimedOut)
        /// The pool was shut down, before the call or while the caller waited.
        public static let poolShutDown = Code(kind: .poolShutDown)
        /// The wait queue is full: see ``ConnectionPoolConfiguration/maxWaiters``.
        public static let tooManyWaiters = Code(kind: .tooManyWaiters)
        /// The system has no memory for another slot or waiter.
        public static let outOfMemory = Code(kind: .outOfMemory)
        /// The pool is overloaded, and ``ConnectionPoolConfiguration/loadShedding`` rejected the caller.
        public static let overloaded = Code(kind: .overloaded)
        /// An attempt to open a connection took longer than ``ConnectionPoolConfiguration/connectTimeout``.
        public static let connectTimedOut = Code(kind: .connectTimedOut)
        /// The ``ConnectionPoolConfiguration/circuitBreaker`` is open, and no connection can serve the caller.
        public static let circuitOpen = Code(kind: .circuitOpen)
        /// The task of the caller already holds all connections that the pool may have.
        public static let nestedAcquire = Code(kind: .nestedAcquire)
        /// A connection did not pass the validation that a health check had asked for.
        public static let validationFailed = Code(kind: .validationFailed)
        /// A connection of a ``SharedConnectionPool`` opened with a limit of 0 leases, so it cannot be used.
        public static let noLeases = Code(kind: .noLeases)

        public var description: String { kind.rawValue }
    }

    /// The kind of the error.
    public let code: Code

    /// What happened, to what, and what to do about it, in English.
    public let message: String

    /// The ``ConnectionPoolConfiguration/name`` of the pool.
    public let poolName: String

    /// The state of the pool at that moment; `nil` if the pool was never created.
    public let statistics: ConnectionPoolStatistics?

    /// The error of the latest attempt to open a connection, if none has succeeded since. For ``Code/acquireTimedOut``,
    /// ``Code/overloaded`` and ``Code/circuitOpen``, and for ``Code/tooManyWaiters`` if the server could not be reached.
    public let underlyingError: (any Error)?

    /// The timeout of the caller, for ``Code/acquireTimedOut``; the wait after which the caller was rejected, for
    /// ``Code/overloaded``; the time limit of the attempt, for ``Code/connectTimedOut``.
    public let timeout: Duration?

    /// The age of the oldest lease, at least; `nil` if no connection was in use. For ``Code/acquireTimedOut`` and
    /// ``Code/overloaded``.
    public let oldestLeaseAge: Duration?

    /// Whether the pool was busy, or its server did not work. For all errors of callers that got no connection, except
    /// ``Code/poolShutDown``, ``Code/nestedAcquire`` and ``Code/outOfMemory``, for which it is `nil`.
    public let shortage: ConnectionShortage?

    init(
        _ code: Code,
        message: String,
        poolName: String,
        statistics: ConnectionPoolStatistics? = nil,
        underlyingError: (any Error)? = nil,
        timeout: Duration? = nil,
        oldestLeaseAge: Duration? = nil,
        shortage: ConnectionShortage? = nil
    ) {
        self.code = code
        self.message = message
        self.poolName = poolName
        self.statistics = statistics
        self.underlyingError = underlyingError
        self.timeout = timeout
        self.oldestLeaseAge = oldestLeaseAge
        self.shortage = shortage
    }
}

extension ConnectionPoolError: CustomStringConvertible {
    public var description: String { "\(code) in pool \"\(poolName)\": \(message)" }
}
