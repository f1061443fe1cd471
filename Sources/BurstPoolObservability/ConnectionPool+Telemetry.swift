// SPDX-License-Identifier: Apache-2.0

public import BurstPool

extension ConnectionPool {
    /// Creates a pool that reports to a telemetry object, including its gauges.
    ///
    /// If the telemetry has a name for the pool, it replaces `ConnectionPoolConfiguration.name`.
    ///
    /// - Parameters:
    ///   - strategy: Opens, checks and closes connections.
    ///   - configuration: The pool's configuration. If it already has an observer, both receive the events.
    ///   - telemetry: Reports this pool, and must not be used for another pool.
    /// - Throws: `ConnectionPoolError` with `ConnectionPoolError.Code/invalidConfiguration`, which names the values.
    public convenience init(
        strategy: Strategy,
        configuration: ConnectionPoolConfiguration,
        telemetry: ConnectionPoolTelemetry
    ) throws(ConnectionPoolError) {
        try self.init(strategy: strategy, configuration: configuration.reporting(to: telemetry))
        telemetry.observe(self)
    }
}

extension SharedConnectionPool {
    /// Creates a pool that reports to a telemetry object, including its gauges.
    ///
    /// If the telemetry has a name for the pool, it replaces `ConnectionPoolConfiguration.name`.
    ///
    /// - Parameters:
    ///   - strategy: Opens, checks and closes connections.
    ///   - configuration: The pool's configuration. If it already has an observer, both receive the events.
    ///   - leasePolicy: Which connection serves a caller. Default: `SharedLeasePolicy.warmFirst`.
    ///   - telemetry: Reports this pool, and must not be used for another pool.
    /// - Throws: `ConnectionPoolError` with `ConnectionPoolError.Code/invalidConfiguration`, which names the values.
    public convenience init(
        strategy: Strategy,
        configuration: ConnectionPoolConfiguration,
        leasePolicy: SharedLeasePolicy = .warmFirst,
        telemetry: ConnectionPoolTelemetry
    ) throws(ConnectionPoolError) {
        try self.init(
            strategy: strategy,
            configuration: configuration.reporting(to: telemetry),
            leasePolicy: leasePolicy
        )
        telemetry.observe(self)
    }
}

extension ConnectionPoolConfiguration {
    fileprivate func reporting(to telemetry: ConnectionPoolTelemetry) -> ConnectionPoolConfiguration {
        var configuration = self
        if let name = telemetry.poolName { configuration.name = name }
        configuration.observer =
            if let other = observer {
                CombinedConnectionPoolObserver([telemetry, other])
            } else {
                telemetry
            }
        return configuration
    }
}
