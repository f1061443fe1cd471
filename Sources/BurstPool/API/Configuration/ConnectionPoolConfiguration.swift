// SPDX-License-Identifier: Apache-2.0

import CBurstPool

/// How a pool behaves.
///
/// Most servers want ``recommended(maxSize:burstLimit:)``. The plain initializer behaves like the Python package
/// `asyncio-connection-pool`: no time limit on connects, no retries, and a connection above ``maxSize`` is closed as soon as it
/// is released. Under a load that comes in bursts, such a pool opens and closes connections all the time.
///
/// ``ConnectionPool/init(strategy:configuration:)`` throws ``ConnectionPoolError/Code/invalidConfiguration`` if settings are
/// out of range or contradict each other.
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

    /// The name of the pool in errors, events, log lines, metrics and spans. Default: `"pool"`.
    public var name = "pool"

    /// The soft limit: how many connections the pool keeps at most when the load is low. At least 1.
    ///
    /// While the pool has more connections than this, a released connection is closed, unless a caller waits for a connection
    /// or ``burstLinger`` is set. Too small: callers wait. Too large: the server holds connections that do nothing.
    public var maxSize: Int

    /// The hard limit: how many connections there may be at any time, including opening and closing ones. At least
    /// ``maxSize``. Default: `nil`, which means that ``maxSize`` is the hard limit too.
    ///
    /// The sum over all processes must stay below the limit of the server.
    public var burstLimit: Int?

    /// How long a caller waits for a connection if the call has no timeout of its own. Default: 30 seconds. `nil`: without
    /// limit.
    ///
    /// Zero: callers never wait. They get an idle connection or an error. This needs a ``minimumIdle`` of at least 1.
    /// Too short: callers fail during short bursts. Too long: requests pile up behind a server that is down.
    public var acquireTimeout: Duration? = .seconds(30)

    /// How long one attempt to open a connection may take, including ``ConnectionStrategy/prepareConnection(_:)``. Default:
    /// `nil`, which means without limit. Recommended: 5 seconds.
    ///
    /// An attempt that takes longer is cancelled, and counts as failed with ``ConnectionPoolError/Code/connectTimedOut``. If
    /// the strategy ignores the cancellation, the attempt keeps its slot until it returns; nothing else is affected, and a
    /// connection that opens late is used.
    public var connectTimeout: Duration?

    /// How long the pool waits before the next attempt when a connection does not open. Default: `nil`, which means that the
    /// attempt is not repeated: the caller on whose behalf it was made gets the error. Recommended: a ``ConnectionBackoff``
    /// with its defaults.
    ///
    /// If this is set, the caller waits for the next attempt until its own timeout, unless the strategy calls the error
    /// permanent (``ConnectionStrategy/connectErrorIsPermanent(_:)``). All attempts of the pool share one backoff. After a
    /// permanent error, callers that need a new connection get that error until the pause has passed, and then a single attempt
    /// is made. Attempts that were already running when the first one failed go on. If the server locks accounts after a few
    /// refused passwords, limit the number of these attempts with ``maxConcurrentConnects``.
    ///
    /// Set this if the server limits its connections: when its limit is reached, callers then wait instead of failing.
    public var connectRetry: ConnectionBackoff?

    // MARK: Often needed

    /// How many idle connections the pool keeps ready. Default: 0. At most ``maxSize``.
    ///
    /// The pool opens them when it is created, and opens others when idle connections have been acquired or closed. It opens
    /// none for this purpose while it has ``maxSize`` connections or more. See also ``ConnectionPool/prewarm(_:)``.
    public var minimumIdle: Int = 0

    /// How long a connection may be idle before it is closed, while more than ``minimumIdle`` are idle. Default: `nil`, which
    /// means without limit. Recommended: 10 minutes. At least 1 millisecond. Enforced up to 12.5 % late, or 2 milliseconds if
    /// that is more.
    ///
    /// The connection that was used last is used next, so connections that are not needed stay idle. Too short: connections
    /// are opened and closed again and again. Longer than the server or a firewall allows: callers get dead connections.
    public var idleTimeout: Duration?

    /// How long a connection may be open. A connection in use that exceeds the limit is closed when it is released. Default:
    /// `nil`, which means without limit. Recommended: 30 minutes, and less than the server or a firewall allows. At least 1
    /// millisecond.
    ///
    /// An idle connection never exceeds this limit, with one exception: a limit of less than 128 milliseconds may be exceeded
    /// by up to 8 milliseconds. The pool retires at most an eighth of the connections, rounded up, at a time, and 1/128 of the
    /// limit passes before it retires the next eighth. So the pool is never suddenly empty.
    public var maxLifetime: Duration?

    /// How long an excess connection, one above ``maxSize``, is kept while it is idle. Default: `nil`, which means that it is
    /// closed when it is released and no caller waits. Recommended: 1 second. Needs a ``burstLimit``. At least 1 millisecond.
    /// Enforced up to 12.5 % late, or 2 milliseconds if that is more.
    ///
    /// Set this if bursts follow each other. Otherwise the pool closes its connections after each burst, and opens them again
    /// in the next one.
    public var burstLinger: Duration?

    /// How many connections may be opened at the same time. At least 1. Default: `nil`, which means without limit.
    /// Recommended: 8.
    ///
    /// If opening a connection takes longer than using one, many callers that come at once are served sooner by connections
    /// that exist already. Without this limit the pool opens one connection for every caller, up to the hard limit, and
    /// most of these connections open after their callers have been served.
    public var maxConcurrentConnects: Int?

    /// How long a connection may be idle and still be used without a validation. After a longer time the pool calls
    /// ``ConnectionStrategy/validateConnection(_:)`` before the next use. Default: `nil`, which means that no connection is
    /// validated before its use. Recommended: 30 seconds. At least 1 millisecond. Enforced up to 12.5 % late, or 2 milliseconds
    /// if that is more.
    ///
    /// If a connection is not valid, the pool closes it and finds another one for the caller. `tryAcquire()`, and calls with a
    /// timeout of zero, use a connection without a validation. Too short: callers often wait for a round trip.
    ///
    /// The limit also holds for the first caller after the process was stopped, by a signal or because its virtual machine was
    /// paused. There is one exception: a connection that was in use less than 1/16 of the limit before the process was stopped
    /// can be handed out without a validation until the pool's timer has run, which takes milliseconds.
    public var validateAfterIdle: Duration?

    /// What happens to errors that ``ConnectionStrategy/closeConnection(_:)`` throws. Default: ``CloseErrors/thrown``.
    /// Recommended: ``CloseErrors/reported``.
    public var closeErrors: CloseErrors = .thrown

    /// What happens to errors that ``ConnectionStrategy/closeConnection(_:)`` throws.
    public enum CloseErrors: String, Sendable, Hashable {
        /// A caller of `withConnection` whose release makes a connection excess waits for the close of that connection and gets
        /// its error. If the body threw too, the caller gets the body's error. Errors of all other closes go to the observer.
        case thrown
        /// All errors go to the observer. No caller waits for a close.
        case reported
    }

    /// Receives the pool's events. Default: `nil`. ``CombinedConnectionPoolObserver`` combines several observers.
    public var observer: (any ConnectionPoolObserver)?

    // MARK: Seldom needed: opening and closing

    /// The greatest share of ``maxLifetime`` by which the lifetime of a connection is shortened. The pool chooses each share at
    /// random, so that connections that were opened together are not closed together. At least 0 and less than 1. Default: 0.1.
    public var lifetimeJitter: Double = 0.1

    /// How long the pool waits for a connection to be released before it opens one for a caller. The wait is at least this long
    /// and at most twice as long. Default: `nil`, which means that a connection is opened at once.
    ///
    /// If a connection is released within the delay, no new one is opened. Choose a delay a little longer than most uses take.
    /// The delay does not apply while the pool has no connection, nor to connections that are opened for ``minimumIdle``.
    public var connectDelay: Duration?

    /// Stops opening connections for a while when the server is down. Default: `nil`, which means never.
    public var circuitBreaker: ConnectionCircuitBreaker?

    /// How long the close of a connection may keep its slot. After this time the slot is free, although the close has not
    /// ended. Until then the connection counts against ``burstLimit``, because the server counts it too. Default: 30 seconds.
    /// `nil`: without limit.
    public var closeTimeout: Duration? = .seconds(30)

    // MARK: Seldom needed: waiting

    /// How many callers may wait at the same time, not counting callers for whom the pool may open a connection. At least 1.
    /// Default: `nil`, which means about 67 million. Further callers fail immediately with
    /// ``ConnectionPoolError/Code/tooManyWaiters``.
    public var maxWaiters: Int?

    /// Rejects callers early while the pool is overloaded. Default: `nil`, which means never.
    public var loadShedding: ConnectionLoadShedding?

    // MARK: Seldom needed: health

    /// How long a validation or a reset of one connection may take. Default: 5 seconds.
    ///
    /// If the call takes longer, the pool cancels it, and aborts and closes the connection. If the call still does not return,
    /// the slot is free after ``closeTimeout``.
    public var validationTimeout: Duration = .seconds(5)

    /// The time after which an idle connection is validated again, so that the server and firewalls do not close it as unused.
    /// Default: `nil`, which means never. At least 1 millisecond. Enforced up to 12.5 % late, or 2 milliseconds if that is
    /// more.
    ///
    /// At any time, at most an eighth of the idle connections are being validated for this purpose, or one of them if there are
    /// fewer than 8.
    public var keepaliveInterval: Duration?

    /// Whether ``ConnectionStrategy/resetConnection(_:)`` is called when a connection is released. The reset runs in the
    /// background before the connection is idle again. Default: `false`.
    public var resetsConnections: Bool = false

    // MARK: Seldom needed: misuse

    /// How long a lease may last before the observer is told where in the source it began. Default: `nil`, which means that
    /// leases are not watched. Needs an ``observer``. At least 1 millisecond. Enforced up to 12.5 % late, or 2 milliseconds if
    /// that is more.
    public var leakThreshold: Duration?

    /// Whether the pool records where in the source, and by which task, each connection is acquired. ``ConnectionPool/leases``
    /// and ``ConnectionPool/waiters`` then contain this. Default: `false`. With a ``leakThreshold``, the pool records the place
    /// in the source in any case, but not the name of the task.
    ///
    /// Recording the place and the task costs a lease about 30 instructions if the task has no name. If the task has a name,
    /// the Swift runtime takes the lock of the task to read the name. That costs about 1,000 instructions, or 100 nanoseconds,
    /// and an allocation if the name is longer than 15 bytes. Recording only the place costs 10 instructions.
    public var tracksLeases: Bool = false

    /// Whether a nested call of `withConnection` fails at once, with ``ConnectionPoolError/Code/nestedAcquire``, if the
    /// enclosing calls in the same task already hold all connections that the pool may have. Default: `false`, which means that
    /// such a call waits until its timeout.
    ///
    /// With this setting, a caller that does not find an idle connection looks at all slots before it waits, which takes
    /// O(connections). A lease of an idle connection costs the same with and without it.
    public var detectsNestedAcquires: Bool = false

    // MARK: Seldom needed: time

    /// The clock of all time limits. Default: `ContinuousClock`. Tests can use a clock that they advance by hand.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// Creates a configuration that behaves like the Python package `asyncio-connection-pool`.
    ///
    /// - Parameters:
    ///   - maxSize: The soft limit.
    ///   - burstLimit: The hard limit; `nil` if it is the same as `maxSize`.
    public init(maxSize: Int, burstLimit: Int? = nil) {
        self.maxSize = maxSize
        self.burstLimit = burstLimit
    }
}
