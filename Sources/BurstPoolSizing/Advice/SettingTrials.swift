// SPDX-License-Identifier: Apache-2.0

/// Forecasts at the peak rate for the same limits with and without `burstLinger` and `connectDelay`, and which one to use.
struct SettingTrials {
    /// Without both, with each one, with both. Empty without a burst limit.
    private(set) var all: [PoolForecast] = []
    private(set) var chosen: PoolForecast

    /// A pool that opens fewer connections per second than this needs no setting that saves some.
    private static let leastConnectsPerSecond = 0.1

    /// - Parameter plain: A policy without `burstLinger` and `connectDelay`.
    init(_ trial: SizingTrial, _ plain: PoolPolicy) throws(SizingError) {
        chosen = try trial.forecast(plain)
        guard plain.burstLimit != nil else { return }
        // "A little longer than most uses take."
        let delay = Duration.seconds(min(2 * trial.load.use.mean.inSeconds, PoolLoad.greatestDuration.inSeconds))
        all = [chosen]
        for (linger, delay) in [(SizingAdvice.linger, nil), (nil, delay), (SizingAdvice.linger, delay)] {
            var policy = plain
            policy.burstLinger = linger
            policy.connectDelay = delay
            let candidate = try trial.forecast(policy)
            all.append(candidate)
            // A pool with fewer settings is easier to understand, so each one must save something.
            let isBetter =
                chosen.connectsPerSecond >= Self.leastConnectsPerSecond
                && candidate.connectsPerSecond <= chosen.connectsPerSecond / 2
            if isBetter, trial.reachesGoal(candidate) || !trial.reachesGoal(chosen) && isNoSlower(candidate) {
                chosen = candidate
            }
        }
    }

    private func isNoSlower(_ candidate: PoolForecast) -> Bool {
        candidate.wait(quantile: 0.99).inSeconds <= 1.1 * chosen.wait(quantile: 0.99).inSeconds
    }
}
