public import BurstPool
public import Configuration

extension ConnectionPoolConfiguration {
    /// Reads a configuration with swift-configuration: environment variables, files, arguments of the command line.
    ///
    /// ```swift
    /// let reader = ConfigReader(provider: EnvironmentVariablesProvider())
    /// let configuration = try ConnectionPoolConfiguration(reader: reader.scoped(to: "pool"))
    /// // POOL_MAX_SIZE=15 POOL_BURST_LIMIT=40 POOL_ACQUIRE_TIMEOUT=2s POOL_CONNECT_RETRY_CAP=10s
    /// ```
    ///
    /// The keys are the names of the properties. Only `maxSize` is required; what is not there has its default. Where a
    /// property is a value of its own, its parts are keys below it: `connectRetry.base`, `connectRetry.cap`,
    /// `circuitBreaker.failureThreshold`, `circuitBreaker.openFor`, `loadShedding.target`, `loadShedding.interval`. One part
    /// is enough to have it, or `enabled`, which with `false` turns it off all the same: `connectRetry.enabled`.
    ///
    /// - Durations are text with a unit, such as `250ms`, `1.5s`, `5m`: ns, us, ms, s, m, h or d. A number **without a unit is
    ///   milliseconds**.
    /// - What can be `nil` is so with the text `none`, such as `acquireTimeout`, which then means for ever.
    /// - `closeErrors` is `thrown` or `reported`.
    ///
    /// Observer and clock cannot be read. Whether the values go together is seen by the pool that is made with them.
    ///
    /// - Parameter reader: Scoped to where the pool's keys are.
    /// - Throws: ``ConnectionPoolConfigurationReadError``, which names the key and the value.
    public init(reader: ConfigReader) throws(ConnectionPoolConfigurationReadError) {
        let keys = FieldReader(reader)
        guard let maxSize = try keys.integer("maxSize") else { throw .missing("maxSize") }
        self.init(maxSize: maxSize)
        try keys.readOptional("burstLimit", into: &burstLimit, FieldReader.integer)
        try keys.read("minimumIdle", into: &minimumIdle, FieldReader.integer)
        try keys.readOptional("idleTimeout", into: &idleTimeout, FieldReader.duration)
        try keys.readOptional("maxLifetime", into: &maxLifetime, FieldReader.duration)
        try keys.read("lifetimeJitter", into: &lifetimeJitter, FieldReader.number)
        try keys.readOptional("burstLinger", into: &burstLinger, FieldReader.duration)
        try keys.readOptional("maxConcurrentConnects", into: &maxConcurrentConnects, FieldReader.integer)
        try keys.readOptional("connectDelay", into: &connectDelay, FieldReader.duration)
        try keys.readOptional("connectTimeout", into: &connectTimeout, FieldReader.duration)
        try keys.readOptional("acquireTimeout", into: &acquireTimeout, FieldReader.duration)
        try keys.readOptional("maxWaiters", into: &maxWaiters, FieldReader.integer)
        try keys.readOptional("validateAfterIdle", into: &validateAfterIdle, FieldReader.duration)
        try keys.read("validationTimeout", into: &validationTimeout, FieldReader.duration)
        try keys.readOptional("keepaliveInterval", into: &keepaliveInterval, FieldReader.duration)
        try keys.read("resetsConnections", into: &resetsConnections, FieldReader.flag)
        try keys.readOptional("closeTimeout", into: &closeTimeout, FieldReader.duration)
        try keys.read("closeErrors", into: &closeErrors, FieldReader.closeErrors)
        try keys.readOptional("leakThreshold", into: &leakThreshold, FieldReader.duration)
        try keys.read("detectsNestedAcquires", into: &detectsNestedAcquires, FieldReader.flag)
        connectRetry = try keys.group("connectRetry", ConnectionBackoff()) { group, backoff throws(ReadError) in
            try group.read("base", into: &backoff.base, FieldReader.duration)
            try group.read("cap", into: &backoff.cap, FieldReader.duration)
        }
        circuitBreaker = try keys.group("circuitBreaker", ConnectionCircuitBreaker()) {
            group,
            breaker throws(ReadError) in
            try group.read("failureThreshold", into: &breaker.failureThreshold, FieldReader.integer)
            try group.read("openFor", into: &breaker.openFor, FieldReader.duration)
        }
        loadShedding = try keys.group("loadShedding", ConnectionLoadShedding()) { group, control throws(ReadError) in
            try group.read("target", into: &control.target, FieldReader.duration)
            try group.read("interval", into: &control.interval, FieldReader.duration)
        }
    }
}

typealias ReadError = ConnectionPoolConfigurationReadError
