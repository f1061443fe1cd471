// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Foundation

/// Measures how long callers wait for a connection, and writes the result as Markdown: `curves [file]`.
@main
struct Curves {
    static func main() async throws {
        let file = CommandLine.arguments.dropFirst().first ?? "Results/curves.md"
        let meanUse = (asked: 0.005, measured: try await measuredUse(asked: 0.005))
        say("sleeps of 5 ms take \(milliseconds(meanUse.measured))")
        let loads = try await LoadExperiment.run(meanUse: meanUse)
        say("loads done")
        let overload = OverloadExperiment(load: 2, seconds: 12, warmUp: 2)
        let overloaded = try await overload.run(meanUse: meanUse)
        say("overload done")
        let bursts = OverloadExperiment(load: 0.4, burst: 32, seconds: 20, warmUp: 0)
        let burstPoints = try await bursts.run(meanUse: meanUse)
        let text = """
            <!-- Written by curves. -->

            Excluded: the share of the time in which timers were late by more than a mean use, because the machine did something else.

            ## Waiting time by load

            \(table(loads))
            ## Twice the capacity

            \(table(overloaded))
            ## A burst each second

            \(table(burstPoints))
            """
        try Data(text.utf8).write(to: URL(filePath: file))
        print(text)
    }

    /// Returns how long a sleep really takes. It takes a little longer than requested, which is part of the use of a
    /// connection. It is measured before, so that the loads are about as intended.
    private static func measuredUse(asked: Double) async throws -> Double {
        var configuration = ConnectionPoolConfiguration(maxSize: 64)
        configuration.acquireTimeout = nil
        let arrivals = Arrivals(rate: 2000, meanUse: asked, duration: 4, seed: 64)
        for _ in 0..<5 {
            let calls = try await OpenLoop(configuration: configuration, arrivals: arrivals).run()
            let summary = Summary(calls, seconds: 4, warmUp: 1)
            if summary.count > 0 { return summary.meanUse }
        }
        throw MachineIsBusy()
    }

    private struct MachineIsBusy: Error, CustomStringConvertible {
        let description = "timers were late in each of 20 seconds: the machine is busy with other programs"
    }

    private static func table(_ points: [LoadExperiment.Point]) -> String {
        var text = """
            | `maxSize` | calls | per second | mean use | load | mean wait | Erlang C | p99 of the wait | Erlang C | excluded |
            |---|---|---|---|---|---|---|---|---|---|

            """
        for point in points {
            let summary = point.summary
            guard summary.count > 0 else {
                text += "| \(point.maxSize) | – | – | – | – | – | – | – | – | 100 % |\n"
                continue
            }
            let theory = ErlangC(
                servers: point.maxSize,
                arrivals: summary.arrivalsPerSecond,
                meanUse: summary.meanUse
            )
            text += "| \(point.maxSize) | \(summary.count) | \(Int(summary.arrivalsPerSecond.rounded())) "
            text += "| \(milliseconds(summary.meanUse)) | \(String(format: "%.2f", theory.load)) "
            text += "| \(milliseconds(summary.meanWait)) | \(milliseconds(theory.meanWait)) "
            text += "| \(milliseconds(summary.wait(quantile: 0.99))) | \(milliseconds(theory.quantile(0.99))) "
            text += "| \(percent(summary.shareExcluded)) |\n"
        }
        return text
    }

    private static func table(_ points: [OverloadExperiment.Point]) -> String {
        let patience = Int(Summary.patience)
        var text = """
            | | callers per second | served within \(patience) s, per second | p50 wait of served callers | p99 | rejected | mean wait of rejected callers | excluded |
            |---|---|---|---|---|---|---|---|

            """
        for point in points {
            let summary = point.summary
            guard summary.count > 0 else {
                text += "| \(point.name) | – | – | – | – | – | – | 100 % |\n"
                continue
            }
            text += "| \(point.name) | \(Int(summary.arrivalsPerSecond.rounded())) | \(Int(summary.goodput.rounded())) "
            text += "| \(milliseconds(summary.wait(quantile: 0.5))) | \(milliseconds(summary.wait(quantile: 0.99))) "
            text += "| \(percent(summary.shareRejected)) "
            text += "| \(summary.shareRejected > 0 ? milliseconds(summary.meanWaitOfRejected) : "–") "
            text += "| \(percent(summary.shareExcluded)) |\n"
        }
        return text
    }

    private static func milliseconds(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "∞" }
        let value = seconds * 1000
        return String(format: value >= 100 ? "%.0f ms" : value >= 1 ? "%.1f ms" : "%.2f ms", value)
    }

    private static func percent(_ share: Double) -> String {
        share == 0 ? "0 %" : String(format: share < 0.1 ? "%.1f %%" : "%.0f %%", share * 100)
    }

    private static func say(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
