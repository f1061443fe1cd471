// SPDX-License-Identifier: Apache-2.0

import BurstPoolSizing

/// The answer of the command.
struct SizeReport {
    let settings: SizeSettings
    let advice: SizingAdvice
    /// Without and with a burst limit, by `maxSize`.
    let table: [PoolForecast]

    init(_ settings: SizeSettings) throws(SizingError) {
        self.settings = settings
        advice = try SizingAdvice(
            for: settings.load,
            goal: settings.goal,
            callers: settings.callers,
            seed: settings.seed
        )
        var table: [PoolForecast] = []
        for policy in Self.policies(settings, advice) {
            let simulation = try PoolSimulation(
                settings.load,
                policy,
                callers: settings.callers,
                seed: settings.seed
            )
            table.append(simulation.run())
        }
        self.table = table
    }

    private static func policies(_ settings: SizeSettings, _ advice: SizingAdvice) -> [PoolPolicy] {
        var policies: [PoolPolicy] = []
        for size in settings.maxSizes ?? sizes(around: advice.policy.maxSize, inUse: settings.load.meanInUse) {
            let limits = settings.burstLimits ?? [min(2 * size, PoolPolicy.largestSize)]
            for limit in [nil] + limits.filter({ $0 > size }).map(Optional.some) {
                var policy = PoolPolicy(maxSize: size, burstLimit: limit)
                policy.maxConcurrentConnects = settings.goal.maxConcurrentConnects
                policy.acquireTimeout = settings.acquireTimeout
                if limit != nil {
                    policy.burstLinger = settings.burstLinger ?? advice.policy.burstLinger
                    policy.connectDelay = settings.connectDelay ?? advice.policy.connectDelay
                }
                policies.append(policy)
            }
        }
        return policies
    }

    /// Returns about eight sizes, from the fewest connections that bear the load to half as many again as recommended.
    private static func sizes(around recommended: Int, inUse: Double) -> [Int] {
        let least = min(Int(inUse) + 1, recommended)
        let most = min(max(recommended + recommended / 2, least + 4), PoolPolicy.largestSize)
        let steps = min(7, most - least)
        guard steps > 0 else { return [recommended] }
        let even = (0...steps).map { least + (most - least) * $0 / steps }
        return Array(Set(even + [recommended])).sorted()
    }
}
