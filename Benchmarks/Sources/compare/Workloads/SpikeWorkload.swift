// SPDX-License-Identifier: Apache-2.0

import BenchmarkSubjects
import BurstPool

/// W7: 50 tasks at the same time; connecting takes 150 ms, a query 2 ms; 5 connections are open, 50 are allowed.
///
/// The ideal: no caller waits for a connect, and 5 connections serve 10 callers each.
enum SpikeWorkload {
    private static let tasks = 50
    private static let openAtStart = 5
    private static let query = Duration.milliseconds(2)

    private static let ideal = "ideal: 5 tasks, 10 queries each"

    /// Each spike has a new pool with one of these configurations.
    private static let settingsToTry: [(name: String, configuration: ConnectionPoolConfiguration)] = [
        ("connect on demand (default)", ConnectionPoolConfiguration(maxSize: 50)),
        ("one connect at a time", capped()),
        ("connects after 25 ms of waiting", elided()),
    ]

    private static func capped() -> ConnectionPoolConfiguration {
        var configuration = ConnectionPoolConfiguration(maxSize: 50)
        configuration.maxConcurrentConnects = 1
        return configuration
    }

    /// Opens no connection for a caller that gets a released one within the delay.
    private static func elided() -> ConnectionPoolConfiguration {
        var configuration = ConnectionPoolConfiguration(maxSize: 50)
        configuration.connectDelay = .milliseconds(25)
        return configuration
    }

    static func run(_ report: inout Report, _ settings: Settings) async throws {
        let rounds = settings.isQuick ? 5 : 15
        var idealTimes: [Double] = []
        var outcomes: [String: [Outcome]] = [:]
        for round in 0..<rounds {
            settings.progress.say("W7: round \(round + 1) of \(rounds)")
            idealTimes.append(try await idealTime())
            for setting in settingsToTry {
                outcomes[setting.name, default: []].append(try await spike(setting.configuration))
            }
            if let python = settings.python {
                let answer = try python.ask("w7", 1)
                outcomes["asyncio-connection-pool, Python", default: []].append(
                    Outcome(time: answer.wall, connections: answer.connections ?? 0)
                )
            }
        }
        report.rows.append(row(ideal, idealTimes, ideal: idealTimes))
        for (name, outcomes) in outcomes.sorted(by: { $0.key < $1.key }) {
            report.rows.append(row(name, outcomes.map(\.time), ideal: idealTimes))
            let connections = Distribution(outcomes.map { Double($0.connections) })
            report.notes.append("W7, \(name): \(short(connections.median)) connections open at the end.")
        }
        // The fewest connections, because all settings are about equally fast.
        let best = settingsToTry.compactMap { outcomes[$0.name] }.min {
            Distribution($0.map { Double($0.connections) }).median
                < Distribution($1.map { Double($0.connections) }).median
        }
        report.figures += [
            .init(
                workload: "W7",
                measure: "connections open at the end, best setting",
                value: Distribution((best ?? []).map { Double($0.connections) }),
                must: 6,
                aim: 5,
                better: .less
            ),
            .init(
                workload: "W7",
                measure: "time until all 50 are served / the ideal, best setting",
                value: Distribution(zip(best ?? [], idealTimes).map { $0.time / $1 }),
                must: 1.3,
                aim: 1.1,
                better: .less
            ),
        ]
    }

    private struct Outcome: Sendable {
        var time: Double
        var connections: Int
    }

    private static func row(_ name: String, _ times: [Double], ideal times2: [Double]) -> Report.Row {
        Report.Row(
            workload: "W7",
            contender: name,
            wall: Distribution(times),
            cpu: Distribution([]),
            ratio: Distribution(zip(times, times2).map { $0 / $1 }),
            reference: ideal
        )
    }

    private static func idealTime() async throws -> Double {
        try await inParallel(openAtStart, operationsEach: tasks / openAtStart) { _, times in
            for _ in 0..<times { try await Task.sleep(for: query) }
        }.wall * Double(tasks)
    }

    private static func spike(_ configuration: ConnectionPoolConfiguration) async throws -> Outcome {
        let strategy = CountingStrategy(connectTime: .milliseconds(150))
        let pool = try ShippingPool(strategy: strategy, configuration: configuration)
        try await pool.prewarm(openAtStart)
        let sample = try await inParallel(tasks, operationsEach: 1) { _, _ in
            try await pool.withConnection { _ in
                try await Task.sleep(for: query)
            }
        }
        // Connections that are still opening belong to the outcome.
        while pool.statistics.opening > 0 { try await Task.sleep(for: .milliseconds(10)) }
        let total = pool.statistics.total
        await pool.shutdown()
        return Outcome(time: sample.wall * Double(tasks), connections: total)
    }
}
