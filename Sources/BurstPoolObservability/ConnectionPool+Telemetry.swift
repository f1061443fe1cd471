public import BurstPool

extension ConnectionPool {
    /// Makes a pool that is observed, its gauges included.
    ///
    /// - Parameters:
    ///   - strategy: Opens, checks and closes connections. The pool keeps it.
    ///   - configuration: If it has an observer, that one is told as well.
    ///   - telemetry: Not to be used for another pool.
    /// - Throws: ``ConnectionPoolError`` with ``ConnectionPoolError/Code/invalidConfiguration``, naming the values.
    public convenience init(
        strategy: Strategy,
        configuration: ConnectionPoolConfiguration,
        telemetry: ConnectionPoolTelemetry
    ) throws {
        var configuration = configuration
        configuration.observer =
            if let other = configuration.observer {
                CombinedConnectionPoolObserver([telemetry, other])
            } else {
                telemetry
            }
        try self.init(strategy: strategy, configuration: configuration)
        telemetry.observe(self, minimumIdle: configuration.minimumIdle)
    }
}
