// SPDX-License-Identifier: Apache-2.0

import BurstPoolSizing
import Foundation

extension SizeReport {
    /// The report as JSON. Durations are in seconds.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(Document(self)), as: UTF8.self)
    }

    struct Document: Codable, Hashable {
        struct Load: Codable, Hashable {
            var callersPerSecond: Double
            var peakRate: Double
            var burstCallers: Int?
            var burstInterval: Double?
            var meanUse: Double
            var meanConnect: Double
            var meanInUse: Double
            var p99WaitGoal: Double
        }

        struct Policy: Codable, Hashable {
            var maxSize: Int
            var burstLimit: Int?
            var burstLinger: Double?
            var connectDelay: Double?
            var maxConcurrentConnects: Int?
            var acquireTimeout: Double?

            init(_ policy: PoolPolicy) {
                maxSize = policy.maxSize
                burstLimit = policy.burstLimit
                burstLinger = policy.burstLinger?.inSeconds
                connectDelay = policy.connectDelay?.inSeconds
                maxConcurrentConnects = policy.maxConcurrentConnects
                acquireTimeout = policy.acquireTimeout?.inSeconds
            }
        }

        struct Forecast: Codable, Hashable {
            struct Wait: Codable, Hashable {
                var mean, p50, p90, p99, p999: Double
            }

            var policy: Policy
            var load: Double
            var isOverloaded: Bool
            /// Absent if the pool is overloaded, because the waits then depend on how long the simulation was.
            var wait: Wait?
            var shareThatWaits: Double
            var shareThatTimesOut: Double
            var connectsPerSecond: Double
            var meanConnections: Double
            var peakConnections: Int

            init(_ forecast: PoolForecast) {
                policy = Policy(forecast.policy)
                load = forecast.load
                isOverloaded = forecast.isOverloaded
                if forecast.hasSteadyWaits {
                    wait = Wait(
                        mean: forecast.meanWait.inSeconds,
                        p50: forecast.wait(quantile: 0.5).inSeconds,
                        p90: forecast.wait(quantile: 0.9).inSeconds,
                        p99: forecast.wait(quantile: 0.99).inSeconds,
                        p999: forecast.wait(quantile: 0.999).inSeconds
                    )
                }
                shareThatWaits = forecast.shareThatWaits
                shareThatTimesOut = forecast.shareThatTimesOut
                connectsPerSecond = forecast.connectsPerSecond
                meanConnections = forecast.meanConnections
                peakConnections = forecast.peakConnections
            }
        }

        struct Recommendation: Codable, Hashable {
            var policy: Policy
            var reachesGoal: Bool
            var reasons: [String]
            var usual: Forecast
            var peak: Forecast
        }

        var source: String
        var seed: UInt64
        var simulatedCallers: Int
        var load: Load
        var recommendation: Recommendation
        var settingsAtPeakRate: [Forecast]
        var table: [Forecast]

        init(_ report: SizeReport) {
            let settings = report.settings
            let advice = report.advice
            source = settings.source
            seed = settings.seed
            simulatedCallers = settings.callers
            load = Load(
                callersPerSecond: settings.load.callersPerSecond,
                peakRate: settings.goal.peakRate,
                burstCallers: settings.load.burst?.callers,
                burstInterval: settings.load.burst?.interval.inSeconds,
                meanUse: settings.load.use.mean.inSeconds,
                meanConnect: settings.load.connect.mean.inSeconds,
                meanInUse: settings.load.meanInUse,
                p99WaitGoal: settings.goal.p99Wait.inSeconds
            )
            recommendation = Recommendation(
                policy: Policy(advice.policy),
                reachesGoal: advice.reachesGoal,
                reasons: advice.reasons,
                usual: Forecast(advice.usual),
                peak: Forecast(advice.peak)
            )
            settingsAtPeakRate = advice.alternatives.map(Forecast.init)
            table = report.table.map(Forecast.init)
        }
    }
}

extension PoolForecast {
    /// Whether the waits do not depend on how long the simulation was. Timeouts keep the queue of an overloaded pool short.
    var hasSteadyWaits: Bool { !isOverloaded || policy.acquireTimeout != nil }
}
