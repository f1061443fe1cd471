// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@testable import BurstPoolSizing

@Suite("The rules of the simulated pool", .timeLimit(.minutes(1)))
struct SimulatorTests {
    private func run(
        _ callers: [(moment: Double, use: Double)],
        connect: Double = 5,
        maxSize: Int = 1,
        burstLimit: Int? = nil,
        _ change: (inout PoolPolicy) -> Void = { _ in }
    ) -> Measures {
        var policy = PoolPolicy(maxSize: maxSize, burstLimit: burstLimit)
        change(&policy)
        return ScriptedCallers(callers.map { Caller(moment: $0.moment, use: $0.use) }, connects: [connect])
            .simulated(policy)
    }

    @Test("Callers wait first come, first served")
    func firstComeFirstServed() {
        let measures = run([(0, 10), (1, 3), (2, 4)])
        #expect(measures.waits == [9, 11])
        #expect(measures.opened == 0)
    }

    @Test("Below the burst limit a caller waits for its connect")
    func connects() {
        let measures = run([(0, 10), (1, 1)], burstLimit: 2)
        #expect(measures.waits == [5])
        #expect(measures.opened == 1)
        #expect(measures.peakOpen == 2)
    }

    @Test("A released connection overtakes a connect")
    func overtakes() {
        #expect(run([(0, 3), (1, 1)], burstLimit: 2).waits == [2])
    }

    @Test("A connection that opens too late serves the next waiter")
    func lateConnect() {
        // The release at 3 serves the second caller, and its connect, which ends at 6, serves the third one.
        #expect(run([(0, 3), (1, 10), (2, 1)], burstLimit: 2).waits == [2, 4])
    }

    @Test("An excess connection closes as soon as no caller waits, and the next burst opens another one")
    func closes() {
        let measures = run([(0, 10), (1, 1), (8, 1), (20, 1)], burstLimit: 2)
        #expect(measures.opened == 2)
        #expect(measures.waits == [5, 2])
    }

    @Test("An excess connection lingers for as long as configured, and then closes")
    func lingers() {
        func opened(secondBurstAt moment: Double) -> Int {
            run([(0, 100), (1, 1), (moment, 1)], burstLimit: 2) { $0.burstLinger = .seconds(10) }.opened
        }
        // It is idle from 7. The simulated pool enforces the limit 1/16 late.
        #expect(opened(secondBurstAt: 17.5) == 1)
        #expect(opened(secondBurstAt: 17.7) == 2)
    }

    @Test("A caller waits for at least one connectDelay and at most two before a connection is opened for it")
    func delay() {
        let measures = run([(0, 100), (10, 1), (12, 1), (40, 1)], burstLimit: 3) { $0.connectDelay = .seconds(4) }
        // The first delay is from 10 to 14, the second one from 14 to 18. The connection that opens at 19 is released at 20.
        #expect(measures.waits == [9, 8, 9])
        #expect(measures.opened == 2)
    }

    @Test("With a connectDelay, no connection is opened if one is released within it")
    func delayWithRelease() {
        let measures = run([(0, 12), (10, 1)], burstLimit: 2) { $0.connectDelay = .seconds(4) }
        #expect(measures.waits == [2])
        #expect(measures.opened == 0)
    }

    @Test("maxConcurrentConnects limits the connects that run at the same time")
    func concurrentConnects() {
        let measures = run([(0, 100), (1, 100), (1, 100)], burstLimit: 3) { $0.maxConcurrentConnects = 1 }
        #expect(measures.waits == [5, 10])
    }

    @Test("A caller leaves after the acquireTimeout, and its connect serves the next caller")
    func timeout() {
        let measures = run([(0, 100), (1, 1), (4, 1)], burstLimit: 2) { $0.acquireTimeout = .seconds(3) }
        #expect(measures.waits == [3, 2])
        #expect(measures.timedOut == 1)
        #expect(measures.opened == 1)
    }

    @Test("Open connections are averaged over the time in which callers come")
    func meanOpen() {
        // One connection until 5, and two from then on.
        let measures = run([(0, 100), (5, 100), (10, 1)], burstLimit: 2) { $0.acquireTimeout = .seconds(20) }
        #expect(measures.duration == 10)
        #expect(measures.meanOpen == 1.5)
    }

    // MARK: Simulations

    private let load = PoolLoad(
        rate: 300,
        use: .exponential(mean: .milliseconds(10)),
        connect: .constant(.milliseconds(20)),
        burst: .init(callers: 10, every: .milliseconds(500))
    )

    @Test("The same seed gives the same forecast, and another seed another one")
    func seeds() throws {
        let policy = PoolPolicy(maxSize: 5, burstLimit: 8)
        func forecast(seed: UInt64) throws -> PoolForecast {
            try PoolSimulation(load, policy, callers: 2000, seed: seed).run()
        }
        #expect(try forecast(seed: 1) == forecast(seed: 1))
        #expect(try forecast(seed: 1) != forecast(seed: 2))
    }

    @Test("Callers of a burst come at the same instant, and in addition to the others")
    func bursts() {
        let callers = ScriptedCallers(load, count: 3200, seed: 1).callers
        let moments = Dictionary(grouping: callers, by: \.moment).filter { $0.value.count > 1 }
        #expect(moments.keys.sorted().prefix(3) == [0.25, 0.75, 1.25])
        #expect(moments.values.allSatisfy { $0.count <= 10 })
        #expect(isNear(callers[3199].moment, 10, within: 0.1), "300 + 20 callers per second")
        #expect(zip(callers, callers.dropFirst()).allSatisfy { $0.moment <= $1.moment })
        #expect(isNear(callers.map(\.use).reduce(0, +) / 3200, 0.01, within: 0.1))
    }

    @Test("Recorded durations are drawn as often as recorded")
    func recorded() {
        var histogram = DurationHistogram()
        for _ in 0..<3 { histogram.record(.milliseconds(1)) }
        histogram.record(.milliseconds(100))
        var source = DurationSource(.recorded(histogram), seed: 1, stream: 1)
        let drawn = (0..<4000).map { _ in source.next() }
        let short = drawn.filter { isNear($0, 0.001, within: 1.0 / 32) }
        let long = drawn.filter { isNear($0, 0.1, within: 1.0 / 32) }
        #expect(short.count + long.count == 4000)
        #expect(isNear(Double(long.count), 1000, within: 0.1))
    }

    @Test("Values out of range are errors that name them")
    func errors() throws {
        func refuses(_ text: String, _ change: (inout PoolLoad, inout PoolPolicy) -> Void) {
            var load = load
            var policy = PoolPolicy(maxSize: 5, burstLimit: 8)
            change(&load, &policy)
            let error = #expect(throws: SizingError.self) { try PoolSimulation(load, policy, callers: 1000) }
            #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
        }
        refuses("rate is 0.0") { load, _ in load.rate = 0 }
        refuses("rate is nan") { load, _ in load.rate = .nan }
        refuses("rate is inf") { load, _ in load.rate = .infinity }
        refuses("duration of a use") { load, _ in load.use = .constant(.zero) }
        refuses("duration of a connect") { load, _ in load.connect = .exponential(mean: .seconds(-1)) }
        refuses("without durations") { load, _ in load.use = .recorded(DurationHistogram()) }
        refuses("0 callers") { load, _ in load.burst?.callers = 0 }
        refuses("interval of bursts") { load, _ in load.burst?.interval = .zero }
        refuses("connections in use") { load, _ in load.rate = 9_000_000 }
        refuses("maxSize is 0") { _, policy in policy.maxSize = 0 }
        refuses("burstLimit is 4") { _, policy in policy.burstLimit = 4 }
        refuses("burstLimit is not") { _, policy in
            policy = PoolPolicy(maxSize: 1); policy.burstLinger = .seconds(1)
        }
        refuses("maxConcurrentConnects is 0") { _, policy in policy.maxConcurrentConnects = 0 }
        refuses("connectDelay is") { _, policy in policy.connectDelay = .zero }
        let error = #expect(throws: SizingError.self) {
            try PoolSimulation(load, PoolPolicy(maxSize: 5), callers: 10)
        }
        #expect(error?.code == .invalidGoal)
    }

    @Test("A policy has the settings of a configuration")
    func policyOfConfiguration() {
        let policy = PoolPolicy(.recommended(maxSize: 4, burstLimit: 9))
        #expect(policy.maxSize == 4 && policy.hardLimit == 9)
        #expect(policy.burstLinger == .seconds(1))
        #expect(policy.maxConcurrentConnects == 8)
        #expect(policy.acquireTimeout == .seconds(30))
    }
}
