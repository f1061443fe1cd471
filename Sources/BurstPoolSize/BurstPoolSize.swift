// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BurstPoolSizing
import Foundation

@main
struct BurstPoolSize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burst-pool-size",
        abstract: "Says how many connections a pool needs, and how long its callers will wait.",
        discussion: """
            The command simulates a pool under a load: callers that come at random, uses, and connects. The load is given \
            by hand, or recorded from a pool with a WorkloadRecorder. Durations have a unit: 250us, 5ms, 1.5s, 2min.

            Examples:
              burst-pool-size --rate 400 --use 5ms --connect 20ms
              burst-pool-size --workload recorded.json --picture waits.svg
            """
    )

    @Option(help: "How many callers come per second.")
    var rate: Double?

    @Option(
        help: "How long a caller uses a connection, on average. The distribution is exponential.",
        transform: duration
    )
    var use: Duration?

    @Option(
        help: "How long opening a connection takes, on average. The distribution is exponential.",
        transform: duration
    )
    var connect: Duration?

    @Option(help: "The JSON of a recorded workload; - for standard input. Other options replace parts of it.")
    var workload: String?

    @Option(help: "How many more callers come at the same instant, again and again.")
    var burst: Int?

    @Option(help: "The time from one burst to the next. (default: 1s)", transform: duration)
    var burstEvery: Duration?

    @Option(
        help: "The callers per second of the worst minute. (default: those of the busiest recorded second, or 2 × rate)"
    )
    var peakRate: Double?

    @Option(help: "The wait that 99 of 100 callers should not exceed. (default: the mean use)", transform: duration)
    var wait: Duration?

    @Option(help: "The sizes to compare, such as 4,8,16.", transform: sizes)
    var maxSize: [Int]?

    @Option(help: "The burst limits to compare. (default: twice the size)", transform: sizes)
    var burstLimit: [Int]?

    @Option(help: "The burstLinger of the compared pools. (default: as recommended)", transform: duration)
    var burstLinger: Duration?

    @Option(help: "The connectDelay of the compared pools. (default: as recommended)", transform: duration)
    var connectDelay: Duration?

    @Option(help: "How many connections are opened at the same time.")
    var maxConcurrentConnects = 8

    @Option(help: "The acquireTimeout of the compared pools. (default: none)", transform: duration)
    var acquireTimeout: Duration?

    @Option(help: "The number of callers of each simulation.")
    var callers = PoolSimulation.usualCallers

    @Option(help: "The seed of the random numbers.")
    var seed: UInt64 = 1

    @Flag(help: "Print JSON instead of tables. Durations are in seconds.")
    var json = false

    @Option(help: "A file for a picture of the waits, in SVG.")
    var picture: String?

    func validate() throws {
        if workload == nil {
            _ = try settings(recorded: nil)
        }
    }

    func run() throws {
        let report = try report(recorded: workload.map { try WorkloadFile.read($0) })
        if let picture {
            do {
                try Data(Picture(report).svg().utf8).write(to: URL(filePath: picture))
            } catch {
                throw SizeFailure("The picture could not be written to \(picture): \(error.localizedDescription)")
            }
        }
        print(json ? try report.json() + "\n" : report.text, terminator: "")
    }

    func report(recorded: RecordedWorkload?) throws -> SizeReport {
        try SizeReport(settings(recorded: recorded))
    }

    private static func duration(_ text: String) throws -> Duration {
        try asValidationError { try ArgumentValues.duration(text) }
    }
    private static func sizes(_ text: String) throws -> [Int] {
        try asValidationError { try ArgumentValues.sizes(text) }
    }

    /// Turns a failure into an error whose message the argument parser shows beside the option.
    private static func asValidationError<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw ValidationError("\(error)")
        }
    }
}

// MARK: Settings

extension BurstPoolSize {
    /// Returns what the command is asked.
    ///
    /// - Throws: A ``SizeFailure``, or a `SizingError`, if something is missing or out of range.
    func settings(recorded: RecordedWorkload?) throws -> SizeSettings {
        let load = try load(recorded)
        var goal = SizingGoal(for: load)
        goal.maxConcurrentConnects = maxConcurrentConnects
        if let wait { goal.p99Wait = wait }
        if let peakRate {
            goal.peakRate = peakRate
        } else if let recorded, rate == nil {
            goal.peakRate = max(load.rate, Double(recorded.busiestSecond))
        }
        if burst == nil, burstEvery != nil { throw SizeFailure("--burst-every needs --burst, the number of callers.") }
        var settings = SizeSettings(load: load, goal: goal)
        settings.maxSizes = maxSize
        settings.burstLimits = burstLimit
        settings.burstLinger = burstLinger
        settings.connectDelay = connectDelay
        settings.acquireTimeout = acquireTimeout
        settings.callers = callers
        settings.seed = seed
        if let recorded {
            settings.source = "recorded in \(Duration.seconds(recorded.seconds).text)"
        }
        return settings
    }

    private func load(_ recorded: RecordedWorkload?) throws -> PoolLoad {
        var load: PoolLoad
        if let recorded {
            load = try recorded.load(connect: connect.map { .exponential(mean: $0) })
            if let rate { load.rate = rate }
            if let use { load.use = .exponential(mean: use) }
        } else {
            guard let rate, let use, let connect else {
                let missing = [
                    rate == nil ? "--rate" : nil, use == nil ? "--use" : nil, connect == nil ? "--connect" : nil,
                ].compactMap(\.self).joined(separator: ", ")
                throw SizeFailure(
                    "\(missing) is missing. Give --rate, --use and --connect, for example --rate 400 --use 5ms --connect 20ms, or a recorded --workload."
                )
            }
            load = PoolLoad(rate: rate, use: .exponential(mean: use), connect: .exponential(mean: connect))
        }
        if let burst { load.burst = PoolLoad.Burst(callers: burst, every: burstEvery ?? .seconds(1)) }
        return load
    }
}
