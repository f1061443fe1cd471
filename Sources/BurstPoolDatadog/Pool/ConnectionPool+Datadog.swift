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
        var configuration = configuration
        configuration.observer =
            if let other = configuration.observer {
                CombinedConnectionPoolObserver([datadog, other])
            } else {
                datadog
            }
        try self.init(strategy: strategy, configuration: configuration)
        datadog.observe(self)
    }
}
