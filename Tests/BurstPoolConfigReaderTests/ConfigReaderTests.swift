import BurstPool
import BurstPoolConfigReader
import Configuration
import Testing

@Suite("Reading a configuration", .timeLimit(.minutes(5)))
struct ConfigReaderTests {
    private func read(_ values: [AbsoluteConfigKey: ConfigValue]) throws -> ConnectionPoolConfiguration {
        try ConnectionPoolConfiguration(reader: ConfigReader(provider: InMemoryProvider(values: values)))
    }

    private func read(environment: [String: String]) throws -> ConnectionPoolConfiguration {
        let provider = EnvironmentVariablesProvider(environmentVariables: environment)
        return try ConnectionPoolConfiguration(reader: ConfigReader(provider: provider).scoped(to: "pool"))
    }

    @Test("what is not there has its default")
    func defaults() throws {
        let fields = try read(["maxSize": 7]).fields
        #expect(fields == ConnectionPoolConfiguration(maxSize: 7).fields)
    }

    @Test("every field is read from what a file would have")
    func everyField() throws {
        let configuration = try read([
            "maxSize": 7, "burstLimit": 9, "minimumIdle": 2, "idleTimeout": "10m", "maxLifetime": "1h",
            "lifetimeJitter": 0.25, "burstLinger": "2s", "maxConcurrentConnects": 3, "connectDelay": "5ms",
            "connectTimeout": "3s", "connectRetry.base": "50ms", "connectRetry.cap": "7s",
            "circuitBreaker.failureThreshold": 8, "circuitBreaker.openFor": "20s", "acquireTimeout": "1.5s",
            "maxWaiters": 100, "loadShedding.target": "6ms", "loadShedding.interval": "120ms",
            "validateAfterIdle": "30s", "validationTimeout": "4s", "keepaliveInterval": "45s",
            "resetsConnections": true, "closeTimeout": "9s", "closeErrors": "reported", "leakThreshold": "1m",
            "detectsNestedAcquires": true,
        ])
        expectEveryField(configuration)
    }

    @Test("every field is read from the environment")
    func everyVariable() throws {
        let configuration = try read(environment: [
            "POOL_MAX_SIZE": "7", "POOL_BURST_LIMIT": "9", "POOL_MINIMUM_IDLE": "2", "POOL_IDLE_TIMEOUT": "600000",
            "POOL_MAX_LIFETIME": "3600s", "POOL_LIFETIME_JITTER": "0.25", "POOL_BURST_LINGER": "2 s",
            "POOL_MAX_CONCURRENT_CONNECTS": "3", "POOL_CONNECT_DELAY": "5000us", "POOL_CONNECT_TIMEOUT": "3000",
            "POOL_CONNECT_RETRY_BASE": "50", "POOL_CONNECT_RETRY_CAP": "7s",
            "POOL_CIRCUIT_BREAKER_FAILURE_THRESHOLD": "8", "POOL_CIRCUIT_BREAKER_OPEN_FOR": "20s",
            "POOL_ACQUIRE_TIMEOUT": "1500", "POOL_MAX_WAITERS": "100", "POOL_DELAY_CONTROL_TARGET": "6000000ns",
            "POOL_DELAY_CONTROL_INTERVAL": "0.12s", "POOL_VALIDATE_AFTER_IDLE": "0.5m",
            "POOL_VALIDATION_TIMEOUT": "4s", "POOL_KEEPALIVE_INTERVAL": "45s", "POOL_RESETS_CONNECTIONS": "true",
            "POOL_CLOSE_TIMEOUT": "9s", "POOL_CLOSE_ERRORS": "reported", "POOL_LEAK_THRESHOLD": "60s",
            "POOL_DETECTS_NESTED_ACQUIRES": "yes",
        ])
        expectEveryField(configuration)
    }

    private func expectEveryField(_ configuration: ConnectionPoolConfiguration) {
        var expected = ConnectionPoolConfiguration(maxSize: 7, burstLimit: 9)
        expected.minimumIdle = 2
        expected.idleTimeout = .seconds(600)
        expected.maxLifetime = .seconds(3600)
        expected.lifetimeJitter = 0.25
        expected.burstLinger = .seconds(2)
        expected.maxConcurrentConnects = 3
        expected.connectDelay = .milliseconds(5)
        expected.connectTimeout = .seconds(3)
        expected.connectRetry = ConnectionBackoff(base: .milliseconds(50), cap: .seconds(7))
        expected.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 8, openFor: .seconds(20))
        expected.acquireTimeout = .milliseconds(1500)
        expected.maxWaiters = 100
        expected.loadShedding = ConnectionLoadShedding(target: .milliseconds(6), interval: .milliseconds(120))
        expected.validateAfterIdle = .seconds(30)
        expected.validationTimeout = .seconds(4)
        expected.keepaliveInterval = .seconds(45)
        expected.resetsConnections = true
        expected.closeTimeout = .seconds(9)
        expected.closeErrors = .reported
        expected.leakThreshold = .seconds(60)
        expected.detectsNestedAcquires = true
        for (name, value) in expected.fields { #expect(configuration.fields[name] == value, "\(name)") }
        let standard = ConnectionPoolConfiguration(maxSize: 1).fields
        for (name, value) in expected.fields where name != "observer" && name != "clock" {
            #expect(standard[name] != value, "the test would not notice if \(name) was not read")
        }
    }

    @Test("none is nil", arguments: ["acquireTimeout", "closeTimeout"])
    func none(_ key: String) throws {
        #expect(try read(["maxSize": 7]).fields[key] != "nil")
        #expect(try read(["maxSize": 7, AbsoluteConfigKey(ConfigKey(key)): "none"]).fields[key] == "nil")
    }

    @Test("none is no value where there has to be one", arguments: ["maxSize", "minimumIdle", "validationTimeout"])
    func noNone(_ key: String) throws {
        let error = #expect(throws: ConnectionPoolConfigurationReadError.self) {
            try read(["maxSize": 7].merging([AbsoluteConfigKey(ConfigKey(key)): "none"]) { $1 })
        }
        #expect(error?.code == .invalid)
        #expect(error?.key == key)
    }

    @Test("a value of several fields is there if it is enabled or has one of them, and not if it is disabled")
    func groups() throws {
        #expect(try read(["maxSize": 7, "connectRetry.enabled": true]).connectRetry == ConnectionBackoff())
        #expect(
            try read(["maxSize": 7, "connectRetry.cap": "1s"]).connectRetry == ConnectionBackoff(cap: .seconds(1))
        )
        #expect(try read(["maxSize": 7, "connectRetry.enabled": false, "connectRetry.cap": "1s"]).connectRetry == nil)
        #expect(try read(["maxSize": 7, "circuitBreaker.enabled": true]).circuitBreaker == ConnectionCircuitBreaker())
        #expect(try read(["maxSize": 7, "loadShedding.enabled": true]).loadShedding == ConnectionLoadShedding())
        #expect(try read(environment: ["POOL_MAX_SIZE": "7", "POOL_DELAY_CONTROL_ENABLED": "1"]).loadShedding != nil)
    }

    @Test("without maxSize there is no configuration")
    func missing() {
        let error = #expect(throws: ConnectionPoolConfigurationReadError.self) { try read(["burstLimit": 9]) }
        #expect(error?.code == .missing)
        #expect(error?.key == "maxSize")
        #expect(error?.value == nil)
    }

    static let invalid: [(key: String, value: ConfigValue, text: String, allowed: String)] = [
        ("maxSize", "many", "many", "a whole number"),
        ("maxSize", 1.5, "1.5", "a whole number"),
        ("maxSize", true, "true", "a whole number"),
        ("maxSize", ConfigValue(.intArray([1, 2]), isSecret: false), "[1, 2]", "a whole number"),
        ("burstLimit", "4O", "4O", "a whole number"),
        ("minimumIdle", "", "", "a whole number"),
        ("maxConcurrentConnects", "x", "x", "a whole number"),
        ("maxWaiters", "1e3", "1e3", "a whole number"),
        ("lifetimeJitter", "much", "much", "a number"),
        ("lifetimeJitter", "nan", "nan", "a number"),
        ("resetsConnections", "maybe", "maybe", "true or false"),
        ("detectsNestedAcquires", 2, "2", "true or false"),
        ("closeErrors", "ignored", "ignored", "thrown or reported"),
        ("closeErrors", 1, "1", "thrown or reported"),
        ("circuitBreaker.failureThreshold", "few", "few", "a whole number"),
        ("connectRetry.enabled", "perhaps", "perhaps", "true or false"),
    ]

    @Test(
        "what is of the wrong kind is an error that names the key, the value and what is allowed",
        arguments: invalid.indices
    )
    func wrongKind(_ index: Int) {
        let (key, value, text, allowed) = Self.invalid[index]
        let error = #expect(throws: ConnectionPoolConfigurationReadError.self) {
            try read(["maxSize": 7].merging([AbsoluteConfigKey(ConfigKey(key)): value]) { $1 })
        }
        #expect(error?.code == .invalid)
        #expect(error?.key == key)
        #expect(error?.value == text)
        #expect(error?.message == "'\(key)' is '\(text)', but has to be \(allowed)")
    }

    private static let durationKeys = [
        "idleTimeout", "maxLifetime", "burstLinger", "connectDelay", "connectTimeout", "connectRetry.base",
        "connectRetry.cap", "circuitBreaker.openFor", "acquireTimeout", "loadShedding.target", "loadShedding.interval",
        "validateAfterIdle", "validationTimeout", "keepaliveInterval", "closeTimeout", "leakThreshold",
    ]

    @Test(
        "what is no duration is an error, at each key of a duration",
        arguments: durationKeys,
        ["soon", "5 weeks", "s", "1e300d", "nan", "", "5mss"]
    )
    func wrongDuration(_ key: String, _ text: String) {
        let error = #expect(throws: ConnectionPoolConfigurationReadError.self) {
            try read(["maxSize": 7, AbsoluteConfigKey(ConfigKey(key)): ConfigValue(stringLiteral: text)])
        }
        #expect(error?.code == .invalid)
        #expect(error?.key == key)
        #expect(error?.value == text)
    }

    @Test(
        "durations have units, and a number alone is milliseconds",
        arguments: zip(
            ["250ms", "1.5s", "5m", "2h", "1d", "3us", "7ns", "0s", "40", " 1s"],
            [
                .milliseconds(250), .milliseconds(1500), .seconds(300), .seconds(7200), .seconds(86400),
                .microseconds(3), .nanoseconds(7), .zero, .milliseconds(40), nil,
            ] as [Duration?]
        )
    )
    func duration(_ text: String, _ expected: Duration?) {
        let read = try? read(["maxSize": 7, "acquireTimeout": ConfigValue(stringLiteral: text)]).acquireTimeout
        #expect(read == expected)
    }

    @Test("values that contradict each other are read, and refused by the pool")
    func contradiction() throws {
        let configuration = try read(["maxSize": 7, "burstLimit": 3])
        let error = #expect(throws: ConnectionPoolError.self) {
            try ConnectionPool(strategy: NoConnections(), configuration: configuration)
        }
        #expect(error?.code == .invalidConfiguration)
    }
}

private final class NoConnections: ConnectionStrategy {
    typealias Connection = Int
    func makeConnection() async throws -> sending Int { throw CancellationError() }
    func connectionIsClosed(_ connection: Int) -> Bool { true }
    func closeConnection(_ connection: Int) async throws {}
}

extension ConnectionPoolConfiguration {
    /// All fields as text, so that a field that is added is compared without anybody thinking of it.
    fileprivate var fields: [String: String] {
        Dictionary(
            uniqueKeysWithValues: Mirror(reflecting: self).children.map { ($0.label ?? "", "\($0.value)") }
        )
    }
}
