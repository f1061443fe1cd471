import BurstPool

/// How a pool starts and ends as a service.
///
/// A value to be filled in and given to ``ConnectionPoolService/init(pool:configuration:)``.
public struct ConnectionPoolServiceConfiguration: Sendable {
    /// Whether the service fails to start unless a connection can be had that works:
    /// ``ConnectionPool/waitUntilHealthy(timeout:)``. Default: `true`.
    public var waitsUntilHealthy = true

    /// How many connections to open at the start, those counted that are open: ``ConnectionPool/prewarm(_:)``. Default: 0.
    public var prewarmedConnections = 0

    /// For how long to try each of the two at the start. The start then fails with the latest error there was, or with
    /// ``ConnectionPoolServiceError``. Default: 30 seconds. `nil`: for ever.
    public var startTimeout: Duration? = .seconds(30)

    /// For how long to wait at a graceful shutdown for the connections that are in use. Those that are still in use then are
    /// aborted. Default: 30 seconds. `nil`: until they have come back, or the service is cancelled.
    public var drainTimeout: Duration? = .seconds(30)

    /// For how long to wait for connections that were aborted. Default: 5 seconds.
    ///
    /// Less than the group's `maximumCancellationDuration`, if it has one: it ends the process.
    public var abortTimeout: Duration = .seconds(5)

    /// Tells the time for prewarming. Default: `ContinuousClock`. All else goes by the pool's own clock.
    public var clock: any Clock<Duration> = ContinuousClock()

    public init() {}
}
