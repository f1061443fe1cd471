// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolConfigReader
import Configuration
import Testing

@Suite("Reading every setting of a configuration", .timeLimit(.minutes(5)))
struct ConfigReaderTests {
    @Test("a setting without a value has its default")
    func defaults() throws {
        let fields = try read(["maxSize": 7]).fields
        #expect(fields == ConnectionPoolConfiguration(maxSize: 7).fields)
    }

    @Test("the caller can choose other defaults")
    func otherDefaults() throws {
        let reader = ConfigReader(provider: InMemoryProvider(values: ["acquireTimeout": "2s"]))
        let read = try ConnectionPoolConfiguration.read(from: reader, defaultMaxSize: 5) { maxSize in
            var configuration = ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: 4 * maxSize)
            configuration.acquireTimeout = .milliseconds(250)
            configuration.idleTimeout = .seconds(60)
            return configuration
        }
        #expect(read.configuration.maxSize == 5)
        #expect(read.configuration.burstLimit == 20)
        #expect(read.configuration.acquireTimeout == .seconds(2))
        #expect(read.configuration.idleTimeout == .seconds(60))
    }

    @Test("every setting is read from values in memory")
    func everySetting() throws {
        let configuration = try read([
            "name": "orders", "maxSize": 7, "burstLimit": 9, "minimumIdle": 2, "idleTimeout": "10m",
            "maxLifetime": "1h",
            "lifetimeJitter": 0.25, "burstLinger": "2s", "maxConcurrentConnects": 3, "connectDelay": "5ms",
            "connectTimeout": "3s", "connectRetry.base": "50ms", "connectRetry.cap": "7s",
            "circuitBreaker.failureThreshold": 8, "circuitBreaker.failingFor": "1m", "circuitBreaker.openFor": "20s",
            "acquireTimeout": "1.5s",
            "maxWaiters": 100, "loadShedding.target": "6ms", "loadShedding.interval": "120ms",
            "validateAfterIdle": "30s", "validationTimeout": "4s", "keepaliveInterval": "45s",
            "resetsConnections": true, "closeTimeout": "9s", "closeErrors": "reported", "leakThreshold": "1m",
            "detectsNestedAcquires": true, "tracksLeases": true,
        ])
        expectEverySetting(configuration)
    }

    @Test("every setting is read from the environment")
    func everyVariable() throws {
        let configuration = try reading(environment: [
            "POOL_NAME": "orders", "POOL_MAX_SIZE": "7", "POOL_BURST_LIMIT": "9", "POOL_MINIMUM_IDLE": "2",
            "POOL_IDLE_TIMEOUT": "600000ms",
            "POOL_MAX_LIFETIME": "3600s", "POOL_LIFETIME_JITTER": "0.25", "POOL_BURST_LINGER": "2 s",
            "POOL_MAX_CONCURRENT_CONNECTS": "3", "POOL_CONNECT_DELAY": "5000us", "POOL_CONNECT_TIMEOUT": "3000ms",
            "POOL_CONNECT_RETRY_BASE": "50ms", "POOL_CONNECT_RETRY_CAP": "7s",
            "POOL_CIRCUIT_BREAKER_FAILURE_THRESHOLD": "8", "POOL_CIRCUIT_BREAKER_FAILING_FOR": "60s",
            "POOL_CIRCUIT_BREAKER_OPEN_FOR": "20s",
            "POOL_ACQUIRE_TIMEOUT": "1500ms", "POOL_MAX_WAITERS": "100", "POOL_LOAD_SHEDDING_TARGET": "6000000ns",
            "POOL_LOAD_SHEDDING_INTERVAL": "0.12s", "POOL_VALIDATE_AFTER_IDLE": "0.5m",
            "POOL_VALIDATION_TIMEOUT": "4s", "POOL_KEEPALIVE_INTERVAL": "45s", "POOL_RESETS_CONNECTIONS": "true",
            "POOL_CLOSE_TIMEOUT": "9s", "POOL_CLOSE_ERRORS": "reported", "POOL_LEAK_THRESHOLD": "60s",
            "POOL_DETECTS_NESTED_ACQUIRES": "yes", "POOL_TRACKS_LEASES": "on",
        ]).configuration
        expectEverySetting(configuration)
    }

    private func expectEverySetting(_ configuration: ConnectionPoolConfiguration) {
        var expected = ConnectionPoolConfiguration(maxSize: 7, burstLimit: 9)
        expected.name = "orders"
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
        expected.circuitBreaker?.failingFor = .seconds(60)
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
        expected.tracksLeases = true
        for (name, value) in expected.fields { #expect(configuration.fields[name] == value, "\(name)") }
        let standard = ConnectionPoolConfiguration(maxSize: 1).fields
        for (name, value) in expected.fields where name != "observer" && name != "clock" {
            #expect(standard[name] != value, "the test must give \(name) a value that differs from its default")
        }
    }

    @Test("an error is thrown if maxSize is missing")
    func missing() {
        let error = #expect(throws: ConnectionPoolConfigurationReadError.self) { try read(["burstLimit": 9]) }
        #expect(error?.code == .missing)
        #expect(error?.key == "maxSize")
        #expect(error?.value == nil)
    }

    @Test("values that contradict each other are read, and the pool refuses them")
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
    /// All settings as text. Settings that are added later are compared as well.
    fileprivate var fields: [String: String] {
        Dictionary(
            uniqueKeysWithValues: Mirror(reflecting: self).children.map { ($0.label ?? "", "\($0.value)") }
        )
    }
}
