// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The reasons for a recommendation, as sentences.
struct SizingReasons {
    let load: PoolLoad
    let goal: SizingGoal
    let maxSize: Int
    let burstLimit: Int
    /// At the usual rate, with `maxSize` and without a burst limit.
    let steady: PoolForecast
    /// At the peak rate, with the recommended settings.
    let peak: PoolForecast
    let reachesGoal: Bool
    let trials: SettingTrials

    var sentences: [String] {
        [littlesLaw, reasonForMaxSize, reasonForBurstLimit, reasonForLinger, reasonForDelay, missedGoal].compactMap(
            \.self
        )
    }

    private var littlesLaw: String {
        let callers = number(load.callersPerSecond)
        return
            "On average \(number(load.meanInUse)) connections are in use: \(callers) callers per second, each for \(load.use.mean.text)."
    }

    private var reasonForMaxSize: String {
        "With maxSize \(maxSize) and no burstLimit the load is \(twoDigits(steady.load)), and at the usual rate \(wait(steady)) (the goal is \(goal.p99Wait.text))."
    }

    private var reasonForBurstLimit: String {
        let rate = "\(number(goal.peakRate)) callers per second, the peak rate,"
        guard burstLimit > maxSize else {
            return
                "No burstLimit is needed: with \(rate) the load is \(twoDigits(peak.load)), and \(wait(peak))."
        }
        return
            "With burstLimit \(burstLimit) and \(rate) the load is \(twoDigits(peak.load)), and \(wait(peak))."
    }

    private var reasonForLinger: String? {
        guard let plain = trials.all.first, trials.all.count > 1 else { return nil }
        let lingering = trials.all[1]
        let before = number(plain.connectsPerSecond)
        let after = number(lingering.connectsPerSecond)
        return peak.policy.burstLinger != nil
            ? "burstLinger keeps excess connections for the next callers: at the peak rate \(after) connections are opened per second instead of \(before)."
            : "burstLinger is not needed: at the peak rate \(before) connections are opened per second without it, and \(after) with it."
    }

    private var reasonForDelay: String? {
        guard let delayed = trials.all.last, let delay = delayed.policy.connectDelay else { return nil }
        let after = number(delayed.connectsPerSecond)
        return peak.policy.connectDelay != nil
            ? "Opening a connection takes \(load.connect.mean.text), and a released connection often comes sooner. With a connectDelay of \(delay.text) \(after) connections are opened per second."
            : "connectDelay is not needed: with \(delay.text), at the peak rate, \(after) connections are opened per second and \(wait(delayed))."
    }

    private var missedGoal: String? {
        guard !reachesGoal else { return nil }
        return
            "The goal is not reached, because opening a connection takes \(load.connect.mean.text), or because many callers come at the same instant. A greater maxSize, which keeps more connections open, shortens the wait."
    }

    private func wait(_ forecast: PoolForecast) -> String {
        let wait = forecast.wait(quantile: 0.99)
        return wait > .zero ? "99 of 100 callers wait for at most \(wait.text)" : "99 of 100 callers do not wait"
    }

    private func number(_ value: Double) -> String {
        String(format: value >= 99.95 ? "%.0f" : value >= 0.995 ? "%.1f" : value == 0 ? "0" : "%.2f", value)
    }

    private func twoDigits(_ share: Double) -> String { String(format: "%.2f", share) }
}
