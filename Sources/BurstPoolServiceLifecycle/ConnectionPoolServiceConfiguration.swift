// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// How a pool starts and ends as a service.
public struct ConnectionPoolServiceConfiguration: Sendable {
    /// Whether the service fails to start unless a connection works: `ConnectionPool.waitUntilHealthy(timeout:)`. Default:
    /// `true`. Set it to `false` for a server that starts without its database and reports that it is not ready.
    public var waitsUntilHealthy = true

    /// The number of connections that are open before the service counts as started: `ConnectionPool.prewarm(_:)`.
    /// Default: 0.
    public var prewarmedConnections = 0

    /// The time limit of each of the two steps above. After it, the start fails with the latest error of the strategy or with
    /// ``ConnectionPoolServiceError``. Default: 30 seconds. `nil` means no limit.
    public var startTimeout: Duration? = .seconds(30)

    /// How long a graceful shutdown waits for the connections in use. Then it aborts them. Default: 30 seconds. `nil` means
    /// until all have been released or the service is cancelled.
    public var drainTimeout: Duration? = .seconds(30)

    /// How long the service waits for aborted connections. Default: 5 seconds.
    ///
    /// Must be less than the group's `maximumCancellationDuration`, after which the group ends the process.
    public var abortTimeout: Duration = .seconds(5)

    /// Measures the time limit of prewarming. Default: `ContinuousClock`. The other limits use the pool's own clock.
    public var clock: any Clock<Duration> = ContinuousClock()

    public init() {}
}
