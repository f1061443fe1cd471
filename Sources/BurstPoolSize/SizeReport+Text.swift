// SPDX-License-Identifier: Apache-2.0

import BurstPoolSizing
import Foundation

extension SizeReport {
    /// The report for people.
    var text: String {
        let goal = settings.goal
        var text = """
            Load: \(Self.number(settings.load.callersPerSecond)) callers per second, each for \(settings.load.use.mean.text); \
            connecting takes \(settings.load.connect.mean.text) (\(settings.source))

            """
        if let burst = settings.load.burst {
            text += "Among these, \(burst.callers) callers come at the same instant every \(burst.interval.text).\n"
        }
        text += """
            Goal: 99 of 100 callers wait for at most \(goal.p99Wait.text), also with \(Self.number(goal.peakRate)) callers per second

            At the usual rate:
            \(Self.lines(table, recommended: advice.policy.maxSize))
            """
        if let example = table.first(where: { $0.policy.burstLimit != nil })?.policy, settingsOfBursts(example) != "" {
            text += "Rows with a burstLimit have \(settingsOfBursts(example)).\n"
        }
        if !advice.alternatives.isEmpty {
            text += """

                At the peak rate, with the recommended limits:
                \(Self.settingLines(advice.alternatives))
                """
        }
        text += "\nRecommended: \(recommendation)\n"
        for reason in advice.reasons { text += "- \(reason)\n" }
        return text
    }

    private func settingsOfBursts(_ policy: PoolPolicy) -> String {
        [
            policy.burstLinger.map { "burstLinger \($0.text)" },
            policy.connectDelay.map { "connectDelay \($0.text)" },
        ].compactMap(\.self).joined(separator: " and ")
    }

    /// The recommended settings in one line.
    var recommendation: String {
        let policy = advice.policy
        var parts = ["maxSize \(policy.maxSize)"]
        if let limit = policy.burstLimit { parts.append("burstLimit \(limit)") }
        if let linger = policy.burstLinger { parts.append("burstLinger \(linger.text)") }
        if let delay = policy.connectDelay { parts.append("connectDelay \(delay.text)") }
        if policy.burstLimit != nil, let connects = policy.maxConcurrentConnects {
            parts.append("maxConcurrentConnects \(connects)")
        }
        return parts.joined(separator: ", ")
    }

    // MARK: Tables

    private static func lines(_ forecasts: [PoolForecast], recommended: Int) -> String {
        aligned(
            [["", "maxSize", "burstLimit"] + columns]
                + forecasts.map { forecast in
                    let policy = forecast.policy
                    return [
                        policy.maxSize == recommended ? ">" : "", "\(policy.maxSize)",
                        policy.burstLimit.map { "\($0)" } ?? "none",
                    ] + values(forecast)
                }
        )
    }

    private static func settingLines(_ forecasts: [PoolForecast]) -> String {
        aligned(
            [["burstLinger", "connectDelay"] + columns]
                + forecasts.map { forecast in
                    [
                        forecast.policy.burstLinger?.text ?? "none", forecast.policy.connectDelay?.text ?? "none",
                    ] + values(forecast)
                }
        )
    }

    private static let columns = [
        "load", "wait", "p50", "p90", "p99", "p99.9", "mean", "connects/s", "open", "peak", "timeouts",
    ]

    private static func values(_ forecast: PoolForecast) -> [String] {
        let waits =
            forecast.hasSteadyWaits
            ? [0.5, 0.9, 0.99, 0.999].map { forecast.wait(quantile: $0).text } + [forecast.meanWait.text]
            : ["grows", "grows", "grows", "grows", "grows"]
        return [String(format: "%.2f", forecast.load), percent(forecast.shareThatWaits)] + waits + [
            number(forecast.connectsPerSecond), number(forecast.meanConnections), "\(forecast.peakConnections)",
            percent(forecast.shareThatTimesOut),
        ]
    }

    /// Aligns the cells of each column on the right.
    private static func aligned(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }.joined(separator: "  ") + "\n"
        }.joined()
    }

    private static func percent(_ share: Double) -> String {
        share == 0 ? "0 %" : String(format: share < 0.0995 ? "%.1f %%" : "%.0f %%", share * 100)
    }

    private static func number(_ value: Double) -> String {
        value == 0 ? "0" : String(format: value >= 99.95 ? "%.0f" : value >= 0.995 ? "%.1f" : "%.2f", value)
    }
}
