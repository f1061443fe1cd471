// SPDX-License-Identifier: Apache-2.0

public import BurstPool

extension ConnectionPool {
    /// Creates a pool that reports to Datadog, including its gauges.
    ///
    /// - Parameters:
    ///   - strategy: Opens, checks and closes connections.
    ///   - configuration: The pool's configuration. If it already has an observer, both receive the events.
    ///   - datadog: Reports this pool, and must not be used for another pool.
    /// - Throws: `ConnectionPoolError` with `ConnectionPoolError.Code/invalidConfiguration`, which names the values.
    public convenience init(
        strategy: Strategy,
        configuration: ConnectionPoolConfiguration,
        datadog: DatadogConnectionPoolObserver
    ) throws(ConnectionPoolError) {
        try self.init(strategy: strategy, configuration: configuration.reporting(to: datadog))
        datadog.observe(self)
    }
}

extension SharedConnectionPool {
    /// Creates a pool that reports to Datadog, including its gauges.
    ///
    /// - Parameters:
    ///   - strategy: Opens, checks and closes connections.
    ///   - configuration: The pool's configuration. If it already has an observer, both receive the events.
    ///   - leasePolicy: Which connection serves a caller. Default: `SharedLeasePolicy.warmFirst`.
    ///   - datadog: Reports this pool, and must not be used for another pool.
    /// - Throws: `ConnectionPoolError` with `ConnectionPoolError.Code/invalidConfiguration`, which names the values.
    public convenience init(
        strategy: Strategy,
        configuration: ConnectionPoolConfiguration,
        leasePolicy: SharedLeasePolicy = .warmFirst,
        datadog: DatadogConnectionPoolObserver
    ) throws(ConnectionPoolError) {
        try self.init(
            strategy: strategy,
            configuration: configuration.reporting(to: datadog),
            leasePolicy: leasePolicy
        )
        datadog.observe(self)
    }
}

extension ConnectionPoolConfiguration {
    fileprivate func reporting(to datadog: DatadogConnectionPoolObserver) -> ConnectionPoolConfiguration {
        var configuration = self
        configuration.observer =
            if let other = observer {
                CombinedConnectionPoolObserver([datadog, other])
            } else {
                datadog
            }
        return configuration
    }
}
