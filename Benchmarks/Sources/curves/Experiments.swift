// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// How long callers wait, as a function of the load.
struct LoadExperiment {
    static let sizes = [4, 8, 16]
    /// The closer the load is to 1, the longer the start of a run affects the queue, so the longer the run must be.
    static let loads: [(load: Double, seconds: Int)] = [(0.3, 6), (0.5, 6), (0.7, 10), (0.8, 16), (0.9, 30)]

    struct Point {
        var maxSize: Int
        var summary: Summary
    }

    /// - Parameter meanUse: The requested time of the sleep, and its measured time, which is a little longer and
    ///   determines the load.
    static func run(meanUse: (asked: Double, measured: Double)) async throws -> [Point] {
        var points: [Point] = []
        for (load, seconds) in loads {
            // All sizes run at the same time, because they do not share a pool, and nearly all of the time is sleep.
            points += try await withThrowingTaskGroup(of: (Int, [Call]).self) { group in
                for size in sizes {
                    group.addTask {
                        let arrivals = Arrivals(
                            rate: load * Double(size) / meanUse.measured,
                            meanUse: meanUse.asked,
                            duration: Double(seconds),
                            seed: UInt64(size)
                        )
                        var configuration = ConnectionPoolConfiguration(maxSize: size)
                        configuration.acquireTimeout = nil
                        return (size, try await OpenLoop(configuration: configuration, arrivals: arrivals).run())
                    }
                }
                return try await group.reduce(into: []) {
                    $0.append(Point(maxSize: $1.0, summary: Summary($1.1, seconds: seconds, warmUp: 1)))
                }
            }
        }
        return points.sorted { ($0.maxSize, $0.summary.arrivalsPerSecond) < ($1.maxSize, $1.summary.arrivalsPerSecond) }
    }
}

/// What remains of the service under overload, or when many callers come at the same instant.
struct OverloadExperiment: Sendable {
    static let maxSize = 4
    /// Worth 20 ms and 80 ms of waiting.
    static let maxWaiters = (few: 16, many: 64)

    struct Point {
        var name: String
        var summary: Summary
    }

    /// As a share of what the connections can serve.
    var load: Double
    var burst = 0
    var seconds: Int
    var warmUp: Int

    static var contenders: [(name: String, configuration: ConnectionPoolConfiguration)] {
        var nothing = ConnectionPoolConfiguration(maxSize: maxSize)
        nothing.acquireTimeout = nil
        var timeout = nothing
        timeout.acquireTimeout = .seconds(Summary.patience)
        var limited = timeout
        limited.maxWaiters = maxWaiters.few
        var controlled = timeout
        controlled.loadShedding = ConnectionLoadShedding()
        var both = controlled
        both.maxWaiters = maxWaiters.many
        return [
            ("nothing", nothing),
            ("`acquireTimeout` 1 s", timeout),
            ("… and `maxWaiters` \(maxWaiters.few)", limited),
            ("… and `loadShedding`", controlled),
            ("… and `loadShedding`, `maxWaiters` \(maxWaiters.many)", both),
        ]
    }

    /// Runs all settings at the same time, with the same arrivals.
    func run(meanUse: (asked: Double, measured: Double)) async throws -> [Point] {
        let arrivals = Arrivals(
            rate: load * Double(Self.maxSize) / meanUse.measured,
            burst: burst,
            meanUse: meanUse.asked,
            duration: Double(seconds),
            seed: 1
        )
        let points = try await withThrowingTaskGroup(of: (Int, Point).self) { group in
            for (index, contender) in Self.contenders.enumerated() {
                group.addTask {
                    let calls = try await OpenLoop(configuration: contender.configuration, arrivals: arrivals).run()
                    let summary = Summary(calls, seconds: seconds, warmUp: warmUp)
                    return (index, Point(name: contender.name, summary: summary))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return points.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
