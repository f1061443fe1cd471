// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis

/// A run of the demo: the load, the checks, the summary and the picture.
struct DemoRun {
    /// The time limit for the tasks to finish after the load, and for the pool to become quiet.
    private static let timeLimit = Duration.seconds(15)

    private let settings: DemoSettings
    private let server: Server
    private let stop: StopSignal
    private let control: ControlConnection
    private let strategy: CountingStrategy<RedisConnectionStrategy>
    private let pool: DemoPool
    private let clientName: String
    private let kills = KillCount()
    private let journal = Journal()

    init(_ settings: DemoSettings, server: Server, stop: StopSignal) async throws {
        self.settings = settings
        self.server = server
        self.stop = stop
        clientName = "burst-pool-demo-\(UInt32.random(in: 0 ... .max))"
        control = try await server.controlConnection()
        let base = try RedisConnectionStrategy(configuration: server.configuration(clientName: clientName))
        strategy = CountingStrategy(base)
        pool = try ConnectionPool(strategy: strategy, configuration: settings.pool)
    }

    func run(_ makeScreen: (String) -> any Screen) async -> (summary: Summary, picture: String) {
        let context = LoadContext(
            pool: pool,
            maxSize: settings.maxSize,
            hardLimit: settings.burstLimit,
            schedule: Schedule(seconds: settings.seconds, tasks: settings.tasks, maxSize: settings.maxSize),
            start: .now,
            stop: stop,
            expectedErrors: ExpectedErrors(chaos: settings.chaos),
            journal: journal,
            keyPrefix: clientName,
            seed: settings.seed
        )
        let load = Load(tasks: settings.tasks)
        let title = "BurstPool · \(server.name) · \(settings.tasks) tasks · seed \(settings.seed)"
        let monitor = Monitor(context: context, load: load, strategy: strategy, kills: kills, screen: makeScreen(title))
        load.start(context)
        monitor.start()
        let chaos = settings.chaos ? startChaos(context) : nil

        while !stop.isRaised, context.elapsed < context.schedule.length {
            try? await Task.sleep(for: .milliseconds(20))
        }
        let loadDuration = min(context.elapsed, context.schedule.length)
        var checks: [Check] = []
        checks.append(await finish(load))
        await chaos?.value
        checks.append(await checkQuietPool())
        let outcome = load.outcome
        checks.insert(contentsOf: repliesAndErrors(outcome.tally), at: 0)
        checks.append(await audit(outcome.ledgers))
        await pool.shutdown(drainFor: Self.timeLimit)
        let totalAfterShutdown = pool.statistics.total
        checks += await checksAfterShutdown(totalAfterShutdown)
        await control.close()
        // The picture must show the end as well.
        try? await Task.sleep(for: .milliseconds(200))

        let timeline = await monitor.stop()
        let summary = summary(outcome.tally, timeline, loadDuration, totalAfterShutdown, checks)
        let picture = TimelinePicture(
            timeline: timeline,
            schedule: context.schedule,
            settings: summary.settings,
            killed: kills.value
        )
        return (summary, picture.document())
    }

    private func startChaos(_ context: LoadContext) -> Task<Void, Never> {
        let chaos = Chaos(control: control, clientName: clientName, context: context, kills: kills)
        return Task(priority: .high) { await chaos.run() }
    }

    // MARK: - Checks

    private func repliesAndErrors(_ tally: Tally) -> [Check] {
        let wrong = tally.wrongReplies
        let unexpected = tally.unexpectedErrors.values.reduce(0, +)
        var reason = ""
        if case .failed(let why)? = stop.reason { reason = why }
        return [
            Check(
                "every reply was correct",
                wrong.isEmpty && tally.commands > 0,
                wrong.first ?? "\(tally.commands.grouped) commands"
            ),
            Check(
                settings.chaos ? "only killed connections caused errors" : "no error occurred",
                unexpected == 0 && reason.isEmpty,
                unexpected == 0 && reason.isEmpty ? "" : "\(unexpected) errors; the first one: \(reason)"
            ),
        ]
    }

    /// Checks that every task ends by itself. A task that does not end waits for something that never happens.
    private func finish(_ load: Load) async -> Check {
        let name = "every task finished"
        if await load.finish(by: .now + Self.timeLimit) { return Check(name, true, "\(settings.tasks) tasks") }
        let finished = load.outcome.finished
        let statistics = pool.statistics
        load.cancel()
        let canBeCancelled = await load.finish(by: .now + .seconds(5))
        return Check(
            name,
            false,
            "\(settings.tasks - finished) of \(settings.tasks) tasks had not finished \(Self.timeLimit) after the load "
                + (canBeCancelled ? "and ended when they were cancelled" : "and ignored their cancellation")
                + ". Pool: \(statistics)"
        )
    }

    /// Checks that no connection is in use and no caller waits after the load. Connections may still be opening or closing at
    /// first.
    private func checkQuietPool() async -> Check {
        func isQuiet(_ statistics: ConnectionPoolStatistics) -> Bool {
            statistics.inUse == 0 && statistics.waiting == 0 && statistics.opening == 0
                && statistics.total <= settings.maxSize
        }
        let deadline = ContinuousClock.now + Self.timeLimit
        while !isQuiet(pool.statistics), ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(10))
        }
        let statistics = pool.statistics
        let isNowQuiet = isQuiet(statistics)
        let count = "\(statistics.total) connections, none in use, no waiting caller"
        return Check("no connection and no waiting caller was lost", isNowQuiet, isNowQuiet ? count : "\(statistics)")
    }

    /// Checks that the server has the values that the tasks wrote, and deletes them.
    private func audit(_ ledgers: [Ledger]) async -> Check {
        let name = "the server has the values that the tasks wrote"
        var faults: [String] = []
        do {
            for ledger in ledgers {
                var ledger = ledger
                faults += ledger.audit(try await control.values(of: ledger.keys))
                try await control.delete(ledger.keys)
            }
        } catch {
            return Check(name, false, "The server could not be queried: \(describe(error))")
        }
        return Check(name, faults.isEmpty, faults.first ?? "\(ledgers.reduce(0) { $0 + $1.keys.count }.grouped) keys")
    }

    private func checksAfterShutdown(_ total: Int) async -> [Check] {
        [
            Check(
                "the pool never exceeded burstLimit",
                strategy.peak <= settings.burstLimit,
                "at most \(strategy.peak)"
            ),
            Check("the pool is empty after the shutdown", total == 0, total == 0 ? "" : "\(pool.statistics)"),
            Check(
                "every opened connection was closed",
                strategy.opened == strategy.closed,
                "\(strategy.opened) opened, \(strategy.closed) closed"
            ),
            await noConnectionLeftOnServer(),
        ]
    }

    /// Checks that the server has no connection of the pool left. The server may notice a close a little later.
    private func noConnectionLeftOnServer() async -> Check {
        let name = "the server has no connection of the pool left"
        let deadline = ContinuousClock.now + .seconds(5)
        do {
            while true {
                let left = try await control.connections(named: clientName).count
                if left == 0 { return Check(name, true, "") }
                guard ContinuousClock.now < deadline else { return Check(name, false, "\(left) connections are left") }
                try await Task.sleep(for: .milliseconds(20))
            }
        } catch {
            return Check(name, false, "The server could not be queried: \(describe(error))")
        }
    }

    // MARK: - Summary

    private func summary(
        _ tally: Tally,
        _ timeline: Timeline,
        _ loadDuration: Duration,
        _ totalAfterShutdown: Int,
        _ checks: [Check]
    ) -> Summary {
        let seconds = max(loadDuration.inSeconds, 0.001)
        let phases = Phase.allCases.map { ($0.name, Summary.Latency(tally.latencies[$0.rawValue])) }
        return Summary(
            settings: Summary.Settings(
                server: server.name,
                tasks: settings.tasks,
                seconds: settings.seconds,
                maxSize: settings.maxSize,
                burstLimit: settings.burstLimit,
                chaos: settings.chaos,
                seed: settings.seed
            ),
            endedEarly: stop.reason.map {
                switch $0 {
                case .interrupted: "interrupted"
                case .failed(let why): why
                }
            },
            seconds: seconds,
            commands: tally.commands,
            commandsPerSecond: Double(tally.commands) / seconds,
            expectedErrors: tally.expectedErrors,
            unexpectedErrors: tally.unexpectedErrors,
            wrongReplies: tally.wrongReplies,
            cancelled: tally.cancelled,
            all: Summary.Latency(tally.allLatencies),
            phases: Dictionary(uniqueKeysWithValues: phases),
            connections: Summary.Connections(
                opened: strategy.opened,
                closed: strategy.closed,
                failedToOpen: strategy.failedToOpen,
                foundDead: strategy.foundDead,
                killed: kills.value,
                peakTotal: strategy.peak
            ),
            secondsBursting: timeline.timeBursting(maxSize: settings.maxSize).inSeconds,
            peakWaiting: timeline.peakWaiting,
            totalAfterShutdown: totalAfterShutdown,
            timeline: settings.picturePath,
            checks: checks
        )
    }
}
