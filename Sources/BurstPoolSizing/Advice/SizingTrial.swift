// SPDX-License-Identifier: Apache-2.0

/// Simulates one load with different policies, and compares the forecasts with a goal.
struct SizingTrial {
    let load: PoolLoad
    let goal: SizingGoal
    let callers: Int
    let seed: UInt64

    func forecast(_ policy: PoolPolicy) throws(SizingError) -> PoolForecast {
        try PoolSimulation(load, policy, callers: callers, seed: seed).run()
    }

    func reachesGoal(_ forecast: PoolForecast) -> Bool {
        !forecast.isOverloaded && forecast.wait(quantile: 0.99) <= goal.p99Wait
    }

    /// Returns the fewest connections that have at most this load.
    func size(forLoad greatest: Double) -> Int {
        min(max(1, Int((load.meanInUse / greatest).rounded(.up))), PoolPolicy.largestSize)
    }

    /// Returns the smallest size from `least` to `most` whose policy reaches the goal, or `most` if none does. O(log sizes)
    /// simulations.
    ///
    /// A wait that becomes shorter with each further connection is assumed.
    func smallestSize(
        from least: Int,
        to most: Int = PoolPolicy.largestSize,
        _ policy: (Int) -> PoolPolicy
    ) throws(SizingError) -> (size: Int, reachesGoal: Bool) {
        var failing = least - 1
        var size = least
        while try !reachesGoal(forecast(policy(size))) {
            guard size < most else { return (most, false) }
            failing = size
            size = min(most, max(size + 1, size + size / 4))
        }
        while size - failing > 1 {
            let middle = (failing + size) / 2
            if try reachesGoal(forecast(policy(middle))) { size = middle } else { failing = middle }
        }
        return (size, true)
    }
}
