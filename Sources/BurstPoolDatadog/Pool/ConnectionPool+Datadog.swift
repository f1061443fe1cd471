public import BurstPool

extension ConnectionPool {
    /// Makes a pool that Datadog is told of, its gauges included.
    ///
    /// - Parameters:
    ///   - strategy: Opens, checks and closes connections. The pool keeps it.
    ///   - configuration: If it has an observer, that one is told as well.
    ///   - datadog: Not to be used for another pool.
    /// - Throws: ``ConnectionPoolError`` with ``ConnectionPoolError/Code/invalidConfiguration``, naming the values.
    public convenience init(
        strategy: Strategy,
        configuration: ConnectionPoolConfiguration,
        datadog: DatadogConnectionPoolObserver
    ) throws {
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
