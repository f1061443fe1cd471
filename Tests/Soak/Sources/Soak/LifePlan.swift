// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// The random choices for one pool and its faults. The seed and the number of the pool determine them.
struct LifePlan: Sendable {
    enum Ending: String, CaseIterable, Sendable {
        /// `shutdown()` while no caller uses the pool.
        case shutdown
        /// The same under load.
        case shutdownUnderLoad
        case abortUnderLoad
        /// The last reference is dropped.
        case dropped
    }

    let number: Int
    let maxSize: Int
    let burstLimit: Int?
    let visitors: Int
    let isLocal: Bool
    let ending: Ending
    let configuration: ConnectionPoolConfiguration
    let connectTimeout: Duration
    let commandTimeout: Duration
    /// A description of the options that are on.
    let description: String

    var hardLimit: Int { burstLimit ?? maxSize }

    /// - Parameter pace: By how much the time limits of connections are longer than the shortest ones.
    init(number: Int, seed: UInt64, pace: Int) {
        var random = SeededRandom(seed: seed, stream: "plan \(number)")
        self.number = number
        maxSize = random.number(1...12)
        burstLimit = random.oneIn(4) ? nil : maxSize + random.number(0...20)
        // Always more visitors than connections, mostly several times as many.
        visitors = (burstLimit ?? maxSize) + random.number(8...64)
        isLocal = random.oneIn(2)
        // Each in turn, so that a short soak covers all of them.
        ending = Ending.allCases[number % Ending.allCases.count]
        connectTimeout = random.milliseconds(200 * pace...1_000 * pace)
        commandTimeout = random.milliseconds(200...1_000)

        var pool = ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
        var options: [String] = []
        func set<Value>(_ path: WritableKeyPath<ConnectionPoolConfiguration, Value>, _ name: String, _ value: Value?) {
            guard let value else { return }
            pool[keyPath: path] = value
            options.append("\(name) \(value)")
        }
        func set<Value>(_ path: WritableKeyPath<ConnectionPoolConfiguration, Value?>, _ name: String, _ value: Value?) {
            guard let value else { return }
            pool[keyPath: path] = value
            options.append("\(name) \(value)")
        }
        set(\.acquireTimeout, "acquireTimeout", random.milliseconds(500...10_000))
        set(\.minimumIdle, "minimumIdle", random.sometimes { [maxSize] in $0.number(0...maxSize) })
        // Each smaller than the next, as the pool requires: keepaliveInterval, idleTimeout, maxLifetime.
        set(\.idleTimeout, "idleTimeout", random.sometimes { $0.milliseconds(100...290) })
        set(\.maxLifetime, "maxLifetime", random.sometimes { $0.milliseconds(300...3_000) })
        if let burstLimit, burstLimit > maxSize {
            set(\.burstLinger, "burstLinger", random.sometimes { $0.milliseconds(10...300) })
        }
        set(\.maxConcurrentConnects, "maxConcurrentConnects", random.sometimes { $0.number(1...4) })
        set(\.connectDelay, "connectDelay", random.sometimes { $0.milliseconds(1...10) })
        set(\.connectTimeout, "connectTimeout", random.sometimes { $0.milliseconds(50 * pace...500 * pace) })
        set(
            \.connectRetry,
            "connectRetry",
            random.sometimes { ConnectionBackoff(base: $0.milliseconds(1...20), cap: $0.milliseconds(20...200)) }
        )
        set(
            \.circuitBreaker,
            "circuitBreaker",
            random.sometimes {
                ConnectionCircuitBreaker(failureThreshold: $0.number(2...8), openFor: $0.milliseconds(50...300))
            }
        )
        set(\.maxWaiters, "maxWaiters", random.sometimes { $0.number(1...40) })
        set(
            \.loadShedding,
            "loadShedding",
            random.sometimes {
                ConnectionLoadShedding(target: $0.milliseconds(5...50), interval: $0.milliseconds(100...400))
            }
        )
        set(\.validateAfterIdle, "validateAfterIdle", random.sometimes { $0.milliseconds(0...50) })
        set(\.validationTimeout, "validationTimeout", random.sometimes { $0.milliseconds(50 * pace...300 * pace) })
        set(\.keepaliveInterval, "keepaliveInterval", random.sometimes { $0.milliseconds(30...90) })
        set(\.resetsConnections, "resetsConnections", random.sometimes { _ in true })
        set(\.closeTimeout, "closeTimeout", random.sometimes { $0.milliseconds(50...1_000) })
        set(\.closeErrors, "closeErrors", random.sometimes { _ in .reported })
        set(\.leakThreshold, "leakThreshold", random.sometimes { $0.milliseconds(50...500) })
        set(\.detectsNestedAcquires, "detectsNestedAcquires", random.sometimes { _ in true })
        configuration = pool
        let limits = "maxSize \(maxSize), burstLimit \(burstLimit.map(String.init) ?? "none"), \(visitors) visitors"
        description =
            "\(limits), \(isLocal ? "a socket" : "TCP"), ends by \(ending), \(options.joined(separator: ", "))"
    }
}
