// SPDX-License-Identifier: Apache-2.0

public import BurstPool
public import Configuration

extension ConnectionPoolConfiguration {
    /// Reads a configuration with swift-configuration: from environment variables, files or command-line arguments.
    ///
    /// ```swift
    /// let reader = ConfigReader(provider: EnvironmentVariablesProvider())
    /// let configuration = try ConnectionPoolConfiguration(reader: reader.scoped(to: "pool"))
    /// // POOL_MAX_SIZE=15 POOL_BURST_LIMIT=40 POOL_ACQUIRE_TIMEOUT=2s POOL_CONNECT_RETRY=true
    /// ```
    ///
    /// The keys are the names of the properties. Only `maxSize` is required. A setting without a value has its default, which
    /// is the one of `init(maxSize:burstLimit:)`; use
    /// ``read(from:defaultMaxSize:defaults:)`` for other defaults, for the list of the values that were found, and for warnings
    /// about misspelt environment variables.
    ///
    /// - Durations are a number with a unit: ns, us, ms, s, m, h or d. Examples are `250ms`, `1.5s` and `5m`. A number without
    ///   a unit is an error.
    /// - Boolean settings accept `true`, `yes`, `on`, `1` and their opposites, in upper or lower case.
    /// - `none` sets an optional setting to `nil`. For example, `acquireTimeout` then has no limit.
    /// - `closeErrors` is `thrown` or `reported`.
    /// - `connectRetry`, `circuitBreaker` and `loadShedding` are groups, whose values are at keys below them, such as
    ///   `connectRetry.base` and `connectRetry.cap`. A group is on if its own key is `true` or if one of its values is set.
    ///   `false` at its own key turns it off.
    ///
    /// The observer and the clock cannot be read. The pool that is created with the configuration checks that the values fit
    /// together.
    ///
    /// - Parameter reader: A reader that is scoped to the pool's keys.
    /// - Throws: ``ConnectionPoolConfigurationReadError``, which names the key and the value.
    public init(reader: ConfigReader) throws(ConnectionPoolConfigurationReadError) {
        self = try Self.read(from: reader).configuration
    }

    /// Reads a configuration, and reports which values were found.
    ///
    /// See ``init(reader:)`` for the keys and the format of values.
    ///
    /// - Parameters:
    ///   - reader: A reader that is scoped to the pool's keys.
    ///   - defaultMaxSize: The value of `maxSize` if there is none. Default: `nil`, which means that `maxSize` is required.
    ///   - defaults: Returns the configuration whose settings apply where the reader has no value. It receives `maxSize`.
    /// - Throws: ``ConnectionPoolConfigurationReadError``, which names the key and the value.
    public static func read(
        from reader: ConfigReader,
        defaultMaxSize: Int? = nil,
        defaults: (_ maxSize: Int) -> ConnectionPoolConfiguration = { ConnectionPoolConfiguration(maxSize: $0) }
    ) throws(ConnectionPoolConfigurationReadError) -> ConnectionPoolConfigurationReading {
        let keys = ReadKeys()
        let fields = FieldReader(reader, keys)
        guard let maxSize = try fields.value("maxSize", .integer) ?? defaultMaxSize else { throw .missing("maxSize") }
        var configuration = defaults(maxSize)
        configuration.maxSize = maxSize
        try configuration.readSizes(fields)
        try configuration.readOpening(fields)
        try configuration.readWaiting(fields)
        try configuration.readHealth(fields)
        return ConnectionPoolConfigurationReading(
            configuration: configuration,
            settings: keys.settings,
            knownKeys: keys.known
        )
    }
}

typealias ReadError = ConnectionPoolConfigurationReadError

extension ConnectionPoolConfiguration {
    fileprivate mutating func readSizes(_ fields: FieldReader) throws(ReadError) {
        try fields.read("name", into: &name, .text)
        try fields.readOptional("burstLimit", into: &burstLimit, .integer)
        try fields.readOptional("burstLinger", into: &burstLinger, .duration)
        try fields.read("minimumIdle", into: &minimumIdle, .integer)
        try fields.readOptional("idleTimeout", into: &idleTimeout, .duration)
        try fields.readOptional("maxLifetime", into: &maxLifetime, .duration)
        try fields.read("lifetimeJitter", into: &lifetimeJitter, .number)
    }

    fileprivate mutating func readOpening(_ fields: FieldReader) throws(ReadError) {
        try fields.readOptional("maxConcurrentConnects", into: &maxConcurrentConnects, .integer)
        try fields.readOptional("connectDelay", into: &connectDelay, .duration)
        try fields.readOptional("connectTimeout", into: &connectTimeout, .duration)
        try fields.readGroup("connectRetry", into: &connectRetry, default: ConnectionBackoff()) {
            group,
            backoff throws(ReadError) in
            try group.read("base", into: &backoff.base, .duration)
            try group.read("cap", into: &backoff.cap, .duration)
        }
        try fields.readGroup("circuitBreaker", into: &circuitBreaker, default: ConnectionCircuitBreaker()) {
            group,
            breaker throws(ReadError) in
            try group.read("failureThreshold", into: &breaker.failureThreshold, .integer)
            try group.readOptional("failingFor", into: &breaker.failingFor, .duration)
            try group.read("openFor", into: &breaker.openFor, .duration)
        }
    }

    fileprivate mutating func readWaiting(_ fields: FieldReader) throws(ReadError) {
        try fields.readOptional("acquireTimeout", into: &acquireTimeout, .duration)
        try fields.readOptional("maxWaiters", into: &maxWaiters, .integer)
        try fields.readGroup("loadShedding", into: &loadShedding, default: ConnectionLoadShedding()) {
            group,
            shedding throws(ReadError) in
            try group.read("target", into: &shedding.target, .duration)
            try group.read("interval", into: &shedding.interval, .duration)
        }
        try fields.readOptional("leakThreshold", into: &leakThreshold, .duration)
        try fields.read("tracksLeases", into: &tracksLeases, .boolean)
        try fields.read("detectsNestedAcquires", into: &detectsNestedAcquires, .boolean)
    }

    fileprivate mutating func readHealth(_ fields: FieldReader) throws(ReadError) {
        try fields.readOptional("validateAfterIdle", into: &validateAfterIdle, .duration)
        try fields.read("validationTimeout", into: &validationTimeout, .duration)
        try fields.readOptional("keepaliveInterval", into: &keepaliveInterval, .duration)
        try fields.read("resetsConnections", into: &resetsConnections, .boolean)
        try fields.readOptional("closeTimeout", into: &closeTimeout, .duration)
        try fields.read("closeErrors", into: &closeErrors, .closeErrors)
    }
}
