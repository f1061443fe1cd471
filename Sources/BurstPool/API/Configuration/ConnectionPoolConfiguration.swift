import CBurstPool

/// How a pool behaves.
///
/// Most servers want ``recommended(maxSize:burstLimit:)``. The plain initializer behaves like the Python package
/// `asyncio-connection-pool`: no time limit on connects, no retries, and a connection above ``maxSize`` is closed as soon as it
/// is released. Under a load that comes in waves such a pool opens and closes connections all the time.
///
/// ``ConnectionPool/init(strategy:configuration:)`` refuses settings that are out of range or contradict each other, with
/// ``ConnectionPoolError/Code/invalidConfiguration``.
///
/// ## Topics
///
/// ### Essential
/// - ``name``
/// - ``maxSize``
/// - ``burstLimit``
/// - ``acquireTimeout``
/// - ``connectTimeout``
/// - ``connectRetry``
///
/// ### Often needed
/// - ``minimumIdle``
/// - ``idleTimeout``
/// - ``maxLifetime``
/// - ``burstLinger``
/// - ``maxConcurrentConnects``
/// - ``validateAfterIdle``
/// - ``closeErrors``
/// - ``observer``
///
/// ### Seldom needed
/// - ``lifetimeJitter``
/// - ``connectDelay``
/// - ``circuitBreaker``
/// - ``maxWaiters``
/// - ``loadShedding``
/// - ``validationTimeout``
/// - ``keepaliveInterval``
/// - ``resetsConnections``
/// - ``closeTimeout``
/// - ``leakThreshold``
/// - ``tracksLeases``
/// - ``detectsNestedAcquires``
/// - ``clock``
public struct ConnectionPoolConfiguration: Sendable {
    /// The greatest possible ``maxSize`` and ``burstLimit``: 1,073,741,823.
    public static let largestSize = Int(BP_MAX_SIZE)

    // MARK: Essential

    /// The name of the pool, which errors, events, log lines, metrics and spans carry. Default: `"pool"`.
    public var name = "pool"

    /// The soft limit: how many connections the pool keeps. At least 1.
    ///
    /// While there are more, a connection that is released is closed unless a caller waits for it. Too small: callers wait.
    /// Too large: the server holds connections that do nothing.
    public var maxSize: Int

    /// The hard limit: how many connections there may be at any time, including opening and closing ones. At least
    /// ``maxSize``. Default: `nil`, which means that the soft limit is hard.
    ///
    /// The sum over all processes must stay below the limit of the server.
    public var burstLimit: Int?

    /// How long a caller waits for a connection unless it says otherwise. Default: 30 seconds. `nil`: without limit.
    ///
    /// Zero: callers never wait. They get an idle connection or an error, which needs a ``minimumIdle`` of at least 1.
    /// Too short: callers fail during short bursts. Too long: requests pile up behind a server that is down.
    public var acquireTimeout: Duration? = .seconds(30)

    /// How long one attempt to open a connection may take, including ``ConnectionStrategy/prepareConnection(_:)``. Default:
    /// `nil`, which means without limit. Recommended: 5 seconds.
    ///
    /// An attempt that takes longer is cancelled, and counts as failed with ``ConnectionPoolError/Code/connectTimedOut``. If
    /// the strategy ignores the cancellation, the attempt keeps its slot until it returns; nothing else is affected, and a
    /// connection that opens late is used.
    public var connectTimeout: Duration?

    /// How long to wait before another attempt when a connection does not open. Default: `nil`, which means that the caller
    /// on whose behalf the attempt was made gets its error. Recommended: a ``ConnectionBackoff`` with its defaults.
    ///
    /// With a retry, a caller waits for another attempt until its own timeout, unless the strategy calls the error permanent
    /// (``ConnectionStrategy/connectErrorIsPermanent(_:)``). All attempts of the pool share one pace. After a permanent error,
    /// callers that need a new connection get that error until the pause has passed, and then a single attempt is made.
    ///
    /// Set this if the server has a limit on connections: that it is reached then makes callers wait instead of fail.
    public var connectRetry: ConnectionBackoff?

    // MARK: Often needed

    /// How many idle connections the pool keeps ready, as long as it has at most ``maxSize`` in all. Default: 0. At most
    /// ``maxSize``.
    ///
    /// They are opened when the pool is created, and again when connections have been taken or closed. See also
    /// ``ConnectionPool/prewarm(_:)``.
    public var minimumIdle: Int = 0

    /// How long a connection may be idle before it is closed, while more than ``minimumIdle`` are idle. Default: `nil`, which
    /// means without limit. Recommended: 10 minutes. At least 1 millisecond. Enforced up to 12.5 % late.
    ///
    /// The connection that was used last is used next, so connections that are not needed stay idle. Too short: connections
    /// are opened and closed again and again. Longer than the server or a firewall allows: callers get dead connections.
    public var idleTimeout: Duration?

    /// How long a connection may be open. A connection in use is closed when it is released. Default: `nil`, which means
    /// without limit. Recommended: 30 minutes, and less than the server or a firewall allows. At least 1 millisecond.
    ///
    /// Never exceeded while idle, except that limits below 128 milliseconds can be exceeded by 8 milliseconds. At most an
    /// eighth of the connections, rounded up, are retired at a time, 1/128 of this duration apart, so that the pool is never
    /// suddenly empty.
    public var maxLifetime: Duration?

    /// How long a connection above ``maxSize`` is kept while it is idle. Default: `nil`, which means that it is closed when it
    /// is released and no caller waits. Recommended: 1 second. Needs a ``burstLimit``. At least 1 millisecond. Enforced up to
    /// 12.5 % late.
    ///
    /// For a load that comes in waves, which would otherwise open and close the same connections again and again.
    public var burstLinger: Duration?

    /// How many connections are opened at the same time. At least 1. Default: `nil`, which means without limit.
    /// Recommended: 8.
    ///
    /// Where opening takes longer than using a connection, many callers at once are served sooner by the connections that exist.
    /// Without this limit the pool opens one for every caller, up to the hard limit, and most of them come too late.
    public var maxConcurrentConnects: Int?

    /// How long a connection may be idle before it must be validated (``ConnectionStrategy/validateConnection(_:)``) before
    /// its next use. Default: `nil`, which means that no connection is validated. Recommended: 30 seconds. At least 1
    /// millisecond. Enforced up to 12.5 % late.
    ///
    /// A connection that is not valid is closed and another one is found; the caller does not notice. `tryAcquire()`, and calls
    /// with a timeout of zero, use a connection without a validation. Too short: callers often wait for a round trip.
    ///
    /// After the process was stopped (by a signal, or as a paused virtual machine), the limit holds for the first caller too,
    /// except for a connection that was in use in the last sixteenth of the limit before. Such a connection can be handed out
    /// without a validation until the pool's timer has run, which is within milliseconds.
    public var validateAfterIdle: Duration?

    /// What happens to errors that ``ConnectionStrategy/closeConnection(_:)`` throws. Default: ``CloseErrors/thrown``.
    /// Recommended: ``CloseErrors/reported``.
    public var closeErrors: CloseErrors = .thrown

    /// What happens to errors that ``ConnectionStrategy/closeConnection(_:)`` throws.
    public enum CloseErrors: String, Sendable, Hashable {
        /// They reach the caller of `withConnection` whose release led to the close, who waits for the close. If the body threw
        /// too, its error wins. Without such a caller they go to the observer.
        case thrown
        /// They go to the observer. No caller waits for a close.
        case reported
    }

    /// Receives the pool's events. Default: `nil`. Several are combined by ``CombinedConnectionPoolObserver``.
    public var observer: (any ConnectionPoolObserver)?

    // MARK: Seldom needed: opening and closing

    /// The share of ``maxLifetime`` by which the lifetime of each connection is shortened at most, at random, so that
    /// connections that were opened together are not closed together. From 0 up to, not including, 1. Default: 0.1.
    public var lifetimeJitter: Double = 0.1

    /// How long a caller waits for a connection in use to be released before one is opened for it: at least this long, and at
    /// most twice as long. Default: `nil`, which means that one is opened at once.
    ///
    /// If a connection is released within the delay, no new one is opened. A little longer than most uses take is right. The
    /// delay does not apply while the pool has no connection, nor to connections for ``minimumIdle``.
    public var connectDelay: Duration?

    /// Stops opening connections for a while when the server is down. Default: `nil`, which means never.
    public var circuitBreaker: ConnectionCircuitBreaker?

    /// How long a close may take before the slot of the connection is free all the same. Until then the connection counts
    /// against ``burstLimit``, as it does at the server. Default: 30 seconds. `nil`: without limit.
    public var closeTimeout: Duration? = .seconds(30)

    // MARK: Seldom needed: waiting

    /// How many callers may wait at the same time, not counting those for whom there is room to open a connection. At least 1.
    /// Default: `nil`, which means about 67 million. Further callers fail immediately with
    /// ``ConnectionPoolError/Code/tooManyWaiters``.
    public var maxWaiters: Int?

    /// Rejects callers early while the pool is overloaded. Default: `nil`, which means never.
    public var loadShedding: ConnectionLoadShedding?

    // MARK: Seldom needed: health

    /// How long a validation or a reset of one connection may take. Default: 5 seconds.
    ///
    /// A call that takes longer is cancelled, and the connection is aborted and closed. If the call still does not return, the
    /// slot is free after ``closeTimeout``.
    public var validationTimeout: Duration = .seconds(5)

    /// How often an idle connection is validated, so that neither side takes it for dead. Default: `nil`, which means never. At
    /// least 1 millisecond. Enforced up to 12.5 % late.
    ///
    /// At most an eighth of the idle connections, or one, is being validated at any time.
    public var keepaliveInterval: Duration?

    /// Whether ``ConnectionStrategy/resetConnection(_:)`` is called when a connection is released. The reset runs in the
    /// background before the connection is idle again. Default: `false`.
    public var resetsConnections: Bool = false

    // MARK: Seldom needed: misuse

    /// How long a lease may last before the observer is told where in the source it began. Default: `nil`, which means that
    /// leases are not watched. Needs an ``observer``. At least 1 millisecond. Enforced up to 12.5 % late.
    public var leakThreshold: Duration?

    /// Whether the pool records where in the source, and by which task, each connection is acquired, for
    /// ``ConnectionPool/leases`` and ``ConnectionPool/waiters``. Default: `false`. A ``leakThreshold`` implies the places, and
    /// not the names of tasks.
    ///
    /// The place costs each lease about 10 instructions. To ask for the name of the task costs about 140 more, or 10 nanoseconds, if
    /// the task has none, and about 100 nanoseconds if it has one.
    public var tracksLeases: Bool = false

    /// Whether a call of `withConnection` fails at once, with ``ConnectionPoolError/Code/nestedAcquire``, if its task already
    /// holds all connections that the pool may have, by calls of `withConnection` around this one. Default: `false`, which
    /// means that such a call waits until its timeout.
    ///
    /// Such a pool also notices a shutdown inside a body of `withConnection`, which would wait for itself: see
    /// ``ConnectionPool/shutdown(drainFor:)``.
    ///
    /// This costs each lease more than the other options, because the pool asks which task is running: for development and
    /// tests.
    public var detectsNestedAcquires: Bool = false

    // MARK: Seldom needed: time

    /// The clock of all time limits. Default: `ContinuousClock`. Tests can use a clock that they advance by hand.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// Creates a configuration that behaves like the Python package `asyncio-connection-pool`.
    ///
    /// - Parameters:
    ///   - maxSize: The soft limit.
    ///   - burstLimit: The hard limit; `nil` if the soft limit is hard.
    public init(maxSize: Int, burstLimit: Int? = nil) {
        self.maxSize = maxSize
        self.burstLimit = burstLimit
    }
}
