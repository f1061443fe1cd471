// SPDX-License-Identifier: Apache-2.0

/// Recommended settings of a pool, and why.
public struct SizingAdvice: Sendable, Hashable {
    /// The recommended settings.
    public let policy: PoolPolicy
    /// What to expect of them at the usual rate.
    public let usual: PoolForecast
    /// What to expect of them at the peak rate.
    public let peak: PoolForecast
    /// What to expect at the peak rate of the recommended limits with and without `burstLinger` and `connectDelay`. Empty
    /// without a burst limit, because such a pool opens no connections.
    public let alternatives: [PoolForecast]
    /// Whether the recommended settings reach the goal, at the usual rate and at the peak rate.
    public let reachesGoal: Bool
    /// Why, in complete sentences.
    public let reasons: [String]

    /// The greatest load for which `maxSize` is chosen at the usual rate.
    static let usualLoad = 0.7
    /// The greatest load for which `burstLimit` is chosen at the peak rate.
    static let peakLoad = 0.9
    /// How long the recommendation lets connections linger.
    static let linger = Duration.seconds(1)

    /// Simulates a load with many settings, and chooses.
    ///
    /// - `maxSize` is the smallest with which, at the usual rate and without a burst limit, the load is at most 0.7 and the goal
    ///   is reached.
    /// - `burstLimit` is the smallest with which the same is true at the peak rate, with a load of at most 0.9. If a burst is too
    ///   late for the goal because connecting takes too long, it is the smallest that has a load of at most 0.9.
    /// - `burstLinger` and `connectDelay` are recommended if they at least halve the number of connects at the peak rate, and
    ///   the goal is reached as well as without them.
    ///
    /// - Parameters:
    ///   - load: What is asked of the pool at the usual rate.
    ///   - goal: What the pool should achieve.
    ///   - callers: The number of callers of each simulation.
    ///   - seed: The seed of the random numbers.
    /// - Throws: A ``SizingError`` if a value is out of range.
    public init(
        for load: PoolLoad,
        goal: SizingGoal,
        callers: Int = PoolSimulation.usualCallers,
        seed: UInt64 = 1
    ) throws(SizingError) {
        try load.validate()
        try goal.validate(for: load)
        var peakLoad = load
        peakLoad.rate = goal.peakRate
        try peakLoad.validate()
        let usualTrial = SizingTrial(load: load, goal: goal, callers: callers, seed: seed)
        let peakTrial = SizingTrial(load: peakLoad, goal: goal, callers: callers, seed: seed)

        let maxSize = try usualTrial.smallestSize(from: usualTrial.size(forLoad: Self.usualLoad)) {
            PoolPolicy(maxSize: $0)
        }
        let least = max(maxSize.size, peakTrial.size(forLoad: Self.peakLoad))
        var burst = try peakTrial.smallestSize(from: least, to: min(4 * least, PoolPolicy.largestSize)) { limit in
            Self.policy(goal, maxSize.size, limit, linger: Self.linger)
        }
        if !burst.reachesGoal { burst.size = least }

        let trials = try SettingTrials(peakTrial, Self.policy(goal, maxSize.size, burst.size, linger: nil))
        policy = trials.chosen.policy
        peak = trials.chosen
        alternatives = trials.all
        usual = try usualTrial.forecast(policy)
        reachesGoal = usualTrial.reachesGoal(usual) && peakTrial.reachesGoal(peak)
        let steady = try usualTrial.forecast(PoolPolicy(maxSize: maxSize.size))
        reasons =
            SizingReasons(
                load: load,
                goal: goal,
                maxSize: maxSize.size,
                burstLimit: burst.size,
                steady: steady,
                peak: peak,
                reachesGoal: reachesGoal,
                trials: trials
            ).sentences
    }

    private static func policy(_ goal: SizingGoal, _ maxSize: Int, _ limit: Int, linger: Duration?) -> PoolPolicy {
        var policy = PoolPolicy(maxSize: maxSize, burstLimit: limit > maxSize ? limit : nil)
        policy.maxConcurrentConnects = goal.maxConcurrentConnects
        if policy.burstLimit != nil { policy.burstLinger = linger }
        return policy
    }
}
