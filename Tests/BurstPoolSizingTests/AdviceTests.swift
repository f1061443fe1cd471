// SPDX-License-Identifier: Apache-2.0

import BurstPoolSizing
import Testing

@Suite("Recommendations", .timeLimit(.minutes(1)))
struct AdviceTests {
    private let callers = 3000
    private let load = PoolLoad(
        rate: 400,
        use: .exponential(mean: .milliseconds(5)),
        connect: .exponential(mean: .milliseconds(20))
    )

    private func advice(_ load: PoolLoad, _ goal: SizingGoal? = nil, callers: Int? = nil) throws -> SizingAdvice {
        try SizingAdvice(for: load, goal: goal ?? SizingGoal(for: load), callers: callers ?? self.callers)
    }

    private func forecast(_ load: PoolLoad, _ policy: PoolPolicy) throws -> PoolForecast {
        try PoolSimulation(load, policy, callers: callers).run()
    }

    @Test("maxSize is the smallest that bears the usual rate and reaches the goal")
    func maxSize() throws {
        let advice = try advice(load)
        let size = advice.policy.maxSize
        #expect(try forecast(load, PoolPolicy(maxSize: size)).wait(quantile: 0.99) <= .milliseconds(5))
        let smaller = try forecast(load, PoolPolicy(maxSize: size - 1))
        #expect(smaller.load > 0.7 || smaller.wait(quantile: 0.99) > .milliseconds(5))
        #expect(advice.usual == (try forecast(load, advice.policy)))
        #expect(advice.usual.wait(quantile: 0.99) <= .milliseconds(5))
    }

    @Test("burstLimit bears the peak rate, and lingering connections save connects")
    func burst() throws {
        var goal = SizingGoal(for: load)
        goal.peakRate = 1600
        let advice = try advice(load, goal)
        #expect(advice.policy.hardLimit > advice.policy.maxSize)
        #expect(advice.peak.load <= 0.9)
        #expect(advice.policy.burstLinger == .seconds(1))
        let plain = try #require(advice.alternatives.first)
        #expect(advice.alternatives.count == 4)
        #expect(plain.policy.burstLinger == nil)
        #expect(advice.peak.connectsPerSecond <= plain.connectsPerSecond / 2)
        #expect(advice.reasons.contains { $0.hasPrefix("burstLinger keeps") })
    }

    @Test("Without a peak above the usual rate, no burstLimit is recommended")
    func noBurst() throws {
        var goal = SizingGoal(for: load)
        goal.peakRate = load.rate
        let advice = try advice(load, goal)
        #expect(advice.policy.burstLimit == nil)
        #expect(advice.policy.burstLinger == nil)
        #expect(advice.alternatives.isEmpty)
        #expect(advice.reachesGoal)
        #expect(advice.reasons.contains { $0.hasPrefix("No burstLimit") })
    }

    @Test("A goal that cannot be reached is reported")
    func unreachable() throws {
        // More callers at the same instant than a simulated pool can have connections.
        var load = load
        load.rate = 1
        load.burst = .init(callers: 25_000, every: .milliseconds(1))
        load.use = .constant(.microseconds(300))
        let advice = try advice(load, SizingGoal(p99Wait: .nanoseconds(1), peakRate: 1), callers: 25_000)
        #expect(!advice.reachesGoal)
        #expect(advice.reasons.contains { $0.hasPrefix("The goal is not reached") })
    }

    @Test("Goals that are out of range are errors")
    func errors() {
        func refuses(_ goal: SizingGoal, _ text: String) {
            let error = #expect(throws: SizingError.self) { try advice(load, goal) }
            #expect(error?.description.contains(text) == true)
        }
        refuses(SizingGoal(p99Wait: .zero, peakRate: 400), "wait to aim at")
        refuses(SizingGoal(p99Wait: .milliseconds(1), peakRate: 399), "at least the usual rate")
        refuses(SizingGoal(p99Wait: .milliseconds(1), peakRate: .nan), "at least the usual rate")
        refuses(SizingGoal(p99Wait: .milliseconds(1), peakRate: .infinity), "at most 10 million")
    }
}
