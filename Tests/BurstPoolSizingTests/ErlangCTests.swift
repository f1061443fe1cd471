// SPDX-License-Identifier: Apache-2.0

import BurstPoolSizing
import Foundation
import Testing

/// The queue M/M/c, whose waits are known exactly.
private struct ErlangC {
    let servers: Int
    let load: Double
    let meanUse: Double

    var shareThatWaits: Double {
        let offered = load * Double(servers)
        let blocked = (1...servers).reduce(1.0) { $0 * offered / (Double($1) + $0 * offered) }
        return blocked / (1 - load * (1 - blocked))
    }

    /// The mean wait of callers that wait.
    private var drain: Double { meanUse / (Double(servers) * (1 - load)) }

    var meanWait: Double { shareThatWaits * drain }

    func wait(quantile: Double) -> Double { max(0, log(shareThatWaits / (1 - quantile)) * drain) }
}

@Suite("The simulation and queueing theory", .timeLimit(.minutes(1)))
struct ErlangCTests {
    /// Three runs with different seeds, because the waits of callers that come one after the other depend on each other, and
    /// a single run of this length differs from the theory by up to 10 %.
    @Test(
        "Waits are those of Erlang C if arrivals are random and uses are distributed exponentially",
        arguments: [(1, 0.5), (4, 0.5), (8, 0.7)]
    )
    func waits(servers: Int, load: Double) throws {
        let use = 0.005
        let theory = ErlangC(servers: servers, load: load, meanUse: use)
        let poolLoad = PoolLoad(
            rate: load * Double(servers) / use,
            use: .exponential(mean: .seconds(use)),
            connect: .constant(.zero)
        )
        let forecasts = try (1...3 as ClosedRange<UInt64>).map {
            try PoolSimulation(poolLoad, PoolPolicy(maxSize: servers), callers: 50_000, seed: $0).run()
        }
        for forecast in forecasts {
            #expect(forecast.callers == 45_000)
            #expect(abs(forecast.load - load) < 1e-9)
            #expect(forecast.connectsPerSecond == 0)
            #expect(forecast.peakConnections == servers)
        }
        func average(_ value: (PoolForecast) -> Double) -> Double { forecasts.map(value).reduce(0, +) / 3 }
        #expect(isNear(average(\.shareThatWaits), theory.shareThatWaits, within: 0.03))
        #expect(isNear(average { $0.meanWait / .seconds(1) }, theory.meanWait, within: 0.08))
        for quantile in [0.9, 0.99] {
            let wait = average { $0.wait(quantile: quantile) / .seconds(1) }
            #expect(isNear(wait, theory.wait(quantile: quantile), within: 0.08))
        }
    }
}

/// Whether a value differs from the expected one by at most this share of it, or by at most `difference`.
func isNear(_ value: Double, _ expected: Double, within share: Double, orDifferBy difference: Double = 0) -> Bool {
    abs(value - expected) <= max(share * abs(expected), difference)
}
