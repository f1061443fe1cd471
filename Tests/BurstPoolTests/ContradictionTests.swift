// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

/// Invalid settings, and what the error must name.
private struct Contradiction: Sendable, CustomTestStringConvertible {
    let names: [String]
    let configure: @Sendable (inout ConnectionPoolConfiguration) -> Void

    init(_ names: String..., configure: @escaping @Sendable (inout ConnectionPoolConfiguration) -> Void) {
        self.names = names
        self.configure = configure
    }

    var testDescription: String { names.joined(separator: ", ") }

    static let all: [Contradiction] = [
        Contradiction("minimumIdle is -1") { $0.minimumIdle = -1 },
        Contradiction("minimumIdle is 5", "maxSize is 4") { $0.minimumIdle = 5 },
        Contradiction("maxConcurrentConnects is 0") { $0.maxConcurrentConnects = 0 },
        Contradiction("maxWaiters is 0") { $0.maxWaiters = 0 },
        Contradiction("maxWaiters is -3") { $0.maxWaiters = -3 },
        Contradiction("circuitBreaker.failureThreshold is 0") {
            $0.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 0)
        },
        Contradiction("lifetimeJitter is -0.1") { $0.lifetimeJitter = -0.1 },
        Contradiction("lifetimeJitter is 1.0") { $0.lifetimeJitter = 1 },
        Contradiction("lifetimeJitter is nan") { $0.lifetimeJitter = .nan },
        Contradiction("idleTimeout is 0.0 seconds") { $0.idleTimeout = .zero },
        Contradiction("maxLifetime is -1.0 seconds") { $0.maxLifetime = .seconds(-1) },
        Contradiction("connectDelay is 0.0 seconds") { $0.connectDelay = .zero },
        Contradiction("connectTimeout is 0.0 seconds") { $0.connectTimeout = .zero },
        Contradiction("connectRetry.base is 0.0 seconds") { $0.connectRetry = ConnectionBackoff(base: .zero) },
        Contradiction("connectRetry.cap is 0.0 seconds") {
            $0.connectRetry = ConnectionBackoff(base: .seconds(1), cap: .zero)
        },
        Contradiction("connectRetry.base is 2.0 seconds", "connectRetry.cap is 1.0 seconds") {
            $0.connectRetry = ConnectionBackoff(base: .seconds(2), cap: .seconds(1))
        },
        Contradiction("circuitBreaker.openFor is 0.0 seconds") {
            $0.circuitBreaker = ConnectionCircuitBreaker(openFor: .zero)
        },
        Contradiction("loadShedding.target is 0.0 seconds") { $0.loadShedding = ConnectionLoadShedding(target: .zero) },
        Contradiction("loadShedding.target is 2.0 seconds", "loadShedding.interval is 2.0 seconds") {
            $0.loadShedding = ConnectionLoadShedding(target: .seconds(2), interval: .seconds(2))
        },
        Contradiction("validateAfterIdle is 0.0 seconds") { $0.validateAfterIdle = .zero },
        Contradiction("validationTimeout is 0.0 seconds") { $0.validationTimeout = .zero },
        Contradiction("keepaliveInterval is 0.0 seconds") { $0.keepaliveInterval = .zero },
        Contradiction("closeTimeout is 0.0 seconds") { $0.closeTimeout = .zero },
        Contradiction("leakThreshold is 0.0 seconds") {
            $0.leakThreshold = .zero
            $0.observer = RecordingObserver()
        },
        Contradiction("leakThreshold is 1.0 seconds", "observer is nil") { $0.leakThreshold = .seconds(1) },
        Contradiction("burstLinger is 1.0 seconds", "burstLimit") { $0.burstLinger = .seconds(1) },
        Contradiction("burstLinger is 0.0 seconds") {
            $0.burstLimit = 8
            $0.burstLinger = .zero
        },
        Contradiction("keepaliveInterval is 60.0 seconds", "maxLifetime is 60.0 seconds") {
            $0.keepaliveInterval = .seconds(60)
            $0.maxLifetime = .seconds(60)
        },
        Contradiction("keepaliveInterval is 61.0 seconds", "idleTimeout is 60.0 seconds") {
            $0.keepaliveInterval = .seconds(61)
            $0.idleTimeout = .seconds(60)
        },
        Contradiction("validateAfterIdle is 60.0 seconds", "maxLifetime is 60.0 seconds") {
            $0.validateAfterIdle = .seconds(60)
            $0.maxLifetime = .seconds(60)
        },
        Contradiction("idleTimeout is 60.0 seconds", "maxLifetime is 60.0 seconds") {
            $0.idleTimeout = .seconds(60)
            $0.maxLifetime = .seconds(60)
        },
    ]
}

@Suite(.timeLimit(.minutes(5)))
struct ContradictionTests {
    @Test(
        "Invalid settings are rejected with a message that names them and their values",
        arguments: CoreKind.allCases,
        Contradiction.all
    )
    fileprivate func refused(kind: CoreKind, contradiction: Contradiction) async throws {
        let witness = Witness()
        let error = try await poolError(.invalidConfiguration) {
            var configuration = ConnectionPoolConfiguration(maxSize: 4)
            contradiction.configure(&configuration)
            _ = try kind.makePool(strategy: TestStrategy(witness: witness), configuration: configuration)
        }
        for name in contradiction.names { #expect(error.message.contains(name)) }
        #expect(witness.watchedIsGone)
    }

    @Test("The smallest and largest valid settings are accepted", arguments: CoreKind.allCases)
    func taken(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 4,
            burstLimit: 4,
            configure: {
                $0.minimumIdle = 4
                $0.maxConcurrentConnects = 1
                $0.maxWaiters = 1
                $0.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 1, openFor: .nanoseconds(1))
                $0.lifetimeJitter = 0
                $0.maxLifetime = .seconds(60)
                $0.idleTimeout = .milliseconds(59_999)
                // Longer than idleTimeout, which does not apply to the minimum idle connections.
                $0.keepaliveInterval = .nanoseconds(59_999_999_999)
                $0.validateAfterIdle = .milliseconds(1)
                $0.connectRetry = ConnectionBackoff(base: .seconds(1), cap: .seconds(1))
                $0.loadShedding = ConnectionLoadShedding(target: .nanoseconds(1), interval: .nanoseconds(2))
                $0.burstLinger = .milliseconds(1)
                $0.leakThreshold = .milliseconds(1)
            }
        ) { pool, strategy, _, _ in
            try await pool.prewarm(nil)
            // Maintenance may be using a connection at this moment.
            try await eventually("all are idle") { pool.statistics.idle == 4 }
        }
    }

    @Test("The defaults are as documented")
    func defaults() {
        let configuration = ConnectionPoolConfiguration(maxSize: 2)
        #expect(configuration.burstLimit == nil)
        #expect(configuration.minimumIdle == 0)
        #expect(configuration.idleTimeout == nil)
        #expect(configuration.maxLifetime == nil)
        #expect(configuration.lifetimeJitter == 0.1)
        #expect(configuration.burstLinger == nil)
        #expect(configuration.maxConcurrentConnects == nil)
        #expect(configuration.connectDelay == nil)
        #expect(configuration.connectTimeout == nil)
        #expect(configuration.connectRetry == nil)
        #expect(configuration.circuitBreaker == nil)
        #expect(configuration.maxWaiters == nil)
        #expect(configuration.loadShedding == nil)
        #expect(configuration.validateAfterIdle == nil)
        #expect(configuration.validationTimeout == .seconds(5))
        #expect(configuration.keepaliveInterval == nil)
        #expect(!configuration.resetsConnections)
        #expect(configuration.closeTimeout == .seconds(30))
        #expect(configuration.leakThreshold == nil)
        #expect(!configuration.detectsNestedAcquires)
        #expect(configuration.observer == nil)
        #expect(ConnectionBackoff() == ConnectionBackoff(base: .milliseconds(100), cap: .seconds(5)))
        #expect(ConnectionCircuitBreaker() == ConnectionCircuitBreaker(failureThreshold: 5, openFor: .seconds(15)))
        #expect(
            ConnectionLoadShedding() == ConnectionLoadShedding(target: .milliseconds(5), interval: .milliseconds(100))
        )
    }
}
