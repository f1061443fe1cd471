import CBurstPool

/// How a pool behaves.
///
/// A value to be filled in and given to ``ConnectionPool/init(strategy:configuration:)``, which refuses what contradicts
/// itself with ``ConnectionPoolError/Code/invalidConfiguration``.
public struct ConnectionPoolConfiguration: Sendable {
    /// The greatest ``maxSize`` and ``burstLimit``: 1,073,741,823.
    public static let largestSize = Int(BP_MAX_SIZE)

    /// The soft limit: how many connections the pool keeps. At least 1.
    ///
    /// While there are more, a connection that comes back is closed, unless somebody waits for it.
    public var maxSize: Int

    /// The hard limit: how many connections there may be at any time. At least ``maxSize``. Default: `nil`, which means
    /// that the soft limit is hard.
    public var burstLimit: Int?

    // MARK: Idle connections

    /// How many idle connections to have at the least, opened before anybody asks, as long as there are no more than
    /// ``maxSize`` in all. Default: 0. At most ``maxSize``.
    ///
    /// They are opened when the pool is made, and again when others have been taken or closed. See also
    /// ``ConnectionPool/prewarm(_:)``.
    public var minimumIdle: Int = 0

    /// For how long a connection may be idle before it is closed, while more than ``minimumIdle`` are. Default: `nil`, for
    /// ever. 10 minutes is usual.
    ///
    /// The connection used last is used next, so the excess gets cold. Kept to within an eighth.
    public var idleTimeout: Duration?

    /// For how long a connection may be open. One that is in use then is closed when it comes back. Default: `nil`, for
    /// ever. 30 minutes is usual: less than what the server or a firewall allows.
    ///
    /// Never longer. At most an eighth of all connections, rounded up, are retired at a time, one hundred and twenty-eighth of this
    /// duration apart, so that the pool is not suddenly empty. They are a millisecond apart at the least: less than 128
    /// milliseconds can be exceeded by eight.
    public var maxLifetime: Duration?

    /// By which share of ``maxLifetime``, at the most, that of each connection is shorter, at random, so that connections
    /// opened together are not closed together. 0 up to, but not including, 1. Default: 0.1.
    public var lifetimeJitter: Double = 0.1

    // MARK: Bursts

    /// For how long a connection above ``maxSize`` is kept while it is idle. Default: `nil`: it is closed when it comes
    /// back and nobody waits, as in the package `asyncio-connection-pool`. Needs a ``burstLimit``.
    ///
    /// For load that comes in waves, which would open and close the same connections again and again. Kept to within an
    /// eighth.
    public var burstLinger: Duration?

    // MARK: Opening

    /// How many connections are opened at the same time at the most. At least 1. Default: `nil`, as many as are wanted, as in
    /// the package `asyncio-connection-pool`.
    ///
    /// Where opening takes longer than using, a sudden crowd is served sooner by the connections that are there: with no
    /// limit here it opens one for each caller, up to the hard limit, most of which come too late to be of use.
    public var maxConcurrentConnects: Int?

    /// For how long a caller waits for a connection in use to come back before one is opened for it, at the least; twice
    /// that at the most. Default: `nil`, no time. Does not apply while there is no connection at all, nor to those that the
    /// pool opens for its own stock.
    ///
    /// A connect is elided if a return comes first. A little more than most uses take is right.
    public var connectDelay: Duration?

    /// How long one attempt to open a connection may take, ``ConnectionStrategy/prepareConnection(_:)`` included. Default:
    /// `nil`, for ever.
    ///
    /// What takes longer is cancelled, and counts as failed with ``ConnectionPoolError/Code/connectTimedOut``. Should it
    /// not heed that it holds its place, and nothing else, until it ends; a connection that is opened late is used.
    public var connectTimeout: Duration?

    /// How long to wait before trying again when a connection does not open. Default: `nil`: the error goes to the caller
    /// on whose behalf it was tried, as in the package `asyncio-connection-pool`.
    ///
    /// With this, a caller waits for another attempt until its own time is up, unless the strategy calls the error
    /// permanent (``ConnectionStrategy/connectErrorIsPermanent(_:)``). All attempts of the pool share one pace.
    public var connectRetry: ConnectionBackoff?

    /// Stops trying for a while where opening fails all the time. Default: `nil`, never.
    public var circuitBreaker: ConnectionCircuitBreaker?

    // MARK: Waiting

    /// For how long a caller waits at the most, where it does not say so itself. Default: 30 seconds, as most pools in the
    /// field have it. `nil` waits for ever. Zero and less: never wait, take what is idle or throw.
    public var acquireTimeout: Duration? = .seconds(30)

    /// How many callers may wait at the same time, those not counted for whom there is room to open a connection. At least
    /// 1. Default: `nil`, some 67 million. Who comes on top fails at once, with
    /// ``ConnectionPoolError/Code/tooManyWaiters``.
    public var maxWaiters: Int?

    /// Turns callers away when the queue is standing. Default: `nil`, never.
    public var loadShedding: ConnectionLoadShedding?

    // MARK: Health

    /// A connection that has been idle for longer is validated before it is handed out
    /// (``ConnectionStrategy/validateConnection(_:)``). Default: `nil`, never.
    ///
    /// If it is not valid it is closed and another one is found; the caller does not notice. `tryAcquire()`, which never
    /// suspends, hands it out as it is, and so does a call whose timeout is zero. Kept to within an eighth.
    public var validateAfterIdle: Duration?

    /// How long validating one connection may take; what takes longer counts as not valid. Default: 5 seconds.
    public var validationTimeout: Duration = .seconds(5)

    /// How often to validate a connection that is idle, so that neither side takes it for dead. Default: `nil`, never. At
    /// most an eighth of the idle connections, or one, is out for that at any time; where more are due at once, the others
    /// have theirs as these come back. Else kept to within an eighth.
    public var keepaliveInterval: Duration?

    /// Whether ``ConnectionStrategy/resetConnection(_:)`` is called when a connection comes back. It is in the background
    /// before the connection is idle again. Default: `false`.
    public var resetsConnections: Bool = false

    // MARK: Closing

    /// How long a close may take before the connection's place is free all the same. It counts against ``burstLimit`` until
    /// then, as it does at the server. Default: 30 seconds. `nil`: for ever. Kept to within an eighth.
    public var closeTimeout: Duration? = .seconds(30)

    /// What becomes of errors that ``ConnectionStrategy/closeConnection(_:)`` throws.
    public enum CloseErrors: String, Sendable, Hashable {
        /// They reach the caller of `withConnection` whose return led to the close, unless its body threw, whose error
        /// then wins. Where there is no such caller, they go to the observer.
        case thrown
        /// They go to the observer, always.
        case reported
    }

    /// What becomes of errors in closing. Default: ``CloseErrors/thrown``, as in the package `asyncio-connection-pool`.
    public var closeErrors: CloseErrors = .thrown

    // MARK: Misuse

    /// For how long a lease may be out before the observer is told where in the source it was taken. Default: `nil`, for
    /// ever. Needs an ``observer``. Kept to within an eighth.
    public var leakThreshold: Duration?

    /// Whether a call of `withConnection` fails at once, with ``ConnectionPoolError/Code/nestedAcquire``, if its own task
    /// has all connections that there may be, by calls of `withConnection` around this one. Default: `false`: it waits, in
    /// vain, until its time is up.
    ///
    /// The one option that costs each lease more than a few instructions, for it asks which task this is: for development
    /// and tests.
    public var detectsNestedAcquires: Bool = false

    // MARK: Surroundings

    /// Is told of what happens in the pool. Default: `nil`, nobody.
    public var observer: (any ConnectionPoolObserver)?

    /// Tells the time. Default: `ContinuousClock`. Tests can give a clock that they set themselves.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// - Parameters:
    ///   - maxSize: The soft limit.
    ///   - burstLimit: The hard limit; `nil`: the soft limit is hard.
    public init(maxSize: Int, burstLimit: Int? = nil) {
        self.maxSize = maxSize
        self.burstLimit = burstLimit
    }
}
