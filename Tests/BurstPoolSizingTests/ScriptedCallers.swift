// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolSizing

/// Callers and connects that a test has chosen.
struct ScriptedCallers: CallerSource, Sendable {
    let callers: [Caller]
    let connects: [Double]
    private var nextIndex = 0
    private var nextConnectIndex = 0

    init(_ callers: [Caller], connects: [Double]) {
        self.callers = callers
        self.connects = connects
    }

    /// Draws callers from a load.
    init(_ load: PoolLoad, count: Int, seed: UInt64) {
        var source = RandomCallers(load, count: count, seed: seed)
        var callers: [Caller] = []
        while let caller = source.nextCaller() { callers.append(caller) }
        self.init(callers, connects: (0..<count).map { _ in source.nextConnect() })
    }

    mutating func nextCaller() -> Caller? {
        guard nextIndex < callers.count else { return nil }
        defer { nextIndex += 1 }
        return callers[nextIndex]
    }

    mutating func nextConnect() -> Double {
        defer { nextConnectIndex += 1 }
        return connects[nextConnectIndex % connects.count]
    }

    func simulated(_ policy: PoolPolicy) -> Measures {
        var simulator = Simulator(policy, self, firstMeasured: 0)
        return simulator.run()
    }
}
