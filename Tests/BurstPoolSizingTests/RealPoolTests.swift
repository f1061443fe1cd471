// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPoolSizing

/// One comparison of the simulation with the real pool.
struct Comparison: Sendable, CustomTestStringConvertible {
    let name: String
    let load: PoolLoad
    let policy: PoolPolicy
    var testDescription: String { name }

    init(
        _ name: String,
        rate: Double,
        burst: PoolLoad.Burst? = nil,
        maxSize: Int,
        burstLimit: Int? = nil,
        _ change: (inout PoolPolicy) -> Void = { _ in }
    ) {
        self.name = name
        load = PoolLoad(
            rate: rate,
            use: .exponential(mean: .milliseconds(5)),
            connect: .exponential(mean: .milliseconds(20)),
            burst: burst
        )
        var policy = PoolPolicy(maxSize: maxSize, burstLimit: burstLimit)
        change(&policy)
        self.policy = policy
    }

    private static let burst = PoolLoad.Burst(callers: 16, every: .milliseconds(200))

    static let all = [
        Comparison("fixed size, load 0.8", rate: 640, maxSize: 4),
        Comparison("bursts of callers", rate: 320, burst: burst, maxSize: 4),
        Comparison("burstLimit", rate: 640, burst: burst, maxSize: 4, burstLimit: 12),
        Comparison("burstLimit and burstLinger", rate: 640, burst: burst, maxSize: 4, burstLimit: 12) {
            $0.burstLinger = .milliseconds(40)
        },
        Comparison("burstLimit and connectDelay", rate: 640, burst: burst, maxSize: 4, burstLimit: 12) {
            $0.connectDelay = .milliseconds(10)
        },
        Comparison("burstLimit, connectDelay, burstLinger", rate: 640, burst: burst, maxSize: 4, burstLimit: 12) {
            $0.connectDelay = .milliseconds(10)
            $0.burstLinger = .milliseconds(40)
        },
        Comparison("burstLimit, maxConcurrentConnects 2", rate: 640, burst: burst, maxSize: 4, burstLimit: 12) {
            $0.maxConcurrentConnects = 2
        },
        Comparison("acquireTimeout, load 1.2", rate: 960, maxSize: 4) { $0.acquireTimeout = .milliseconds(20) },
    ]
}

@Suite("The simulation and the real pool", .timeLimit(.minutes(5)))
struct RealPoolTests {
    /// Real time is not measured here: both have the same callers, uses and connects, and the pool's clocks are advanced by
    /// the test. What is compared are the decisions.
    @Test("The same callers wait as long in the simulation as in the real pool", arguments: Comparison.all)
    func comparison(_ comparison: Comparison) async throws {
        let callers = ScriptedCallers(comparison.load, count: 600, seed: 1)
        let simulated = callers.simulated(comparison.policy)
        let real = try await VirtualPool(comparison.policy, callers).run()
        #expect(real.waits.count == 600)
        let differences = Self.differences(real, simulated, comparison.policy)
        #expect(differences.isEmpty, "\(differences)")
    }

    private static func differences(
        _ real: VirtualPool.Outcome,
        _ simulated: Measures,
        _ policy: PoolPolicy
    ) -> [String] {
        let forecast = PoolForecast(policy, simulated, load: 0)
        var differences: [String] = []
        // A pool that neither connects nor has a timer does exactly what the simulation does. Otherwise two connects that begin
        // at the same instant may be in another order, and a timer may be late. Other callers then wait instead, and a median
        // of 600 callers differs by up to 1 ms.
        let isExact = policy.burstLimit == nil && policy.acquireTimeout == nil
        func compare(_ name: String, _ expected: Double, _ found: Double, orDifferBy difference: Double) {
            guard !isNear(found, expected, within: isExact ? 0.001 : 0.2, orDifferBy: isExact ? 1e-9 : difference)
            else { return }
            differences.append("\(name): the pool has \(expected), the simulation \(found)")
        }
        for quantile in [0.5, 0.99] {
            let found = forecast.wait(quantile: quantile) / .seconds(1)
            compare("wait \(quantile)", real.wait(quantile: quantile), found, orDifferBy: 0.001)
        }
        compare("opened", Double(real.opened), Double(simulated.opened), orDifferBy: 2)
        compare("timed out", Double(real.timedOut), Double(simulated.timedOut), orDifferBy: 2)
        return differences
    }
}
