// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// A run of the demo: the load, the checks, the summary and the picture.
struct DemoRun<Server: Backend> {
    private let settings: DemoSettings
    /// The time limit for the tasks to finish after the load, and for the pool to become quiet.
    private let timeLimit: Duration
    private let backend: Server
    private let stop: StopSignal
    private let control: Server.Control
    private let counts: ConnectionCounts
    private let pool: DemoPool<Server>
    private let kills = KillCount()
    private let journal = Journal()

    /// - Throws: ``DemoFailure`` if the server cannot be used for the run.
    init(
        _ settings: DemoSettings,
        on backend: Server,
        stop: StopSignal,
        timeLimit: Duration = .seconds(15)
    ) async throws {
        self.settings = settings
        self.timeLimit = timeLimit
        self.backend = backend
        self.stop = stop
        let strategy = CountingStrategy(try backend.makeStrategy())
        counts = strategy.counts
        pool = try ConnectionPool(strategy: strategy, configuration: settings.pool)
        do {
            control = try await backend.openControlConnection()
            try await control.prepare()
        } catch {
            throw DemoFailure("\(backend.serverName) cannot be used: \(describe(error))")
        }
    }

    func run(_ makeScreen: (String) -> any Screen) async -> (summary: Summary, picture: String) {
        let context = LoadContext(
            maxSize: settings.maxSize,
            hardLimit: settings.burstLimit,
            chaos: settings.chaos,
            schedule: Schedule(seconds: settings.seconds, tasks: settings.tasks, maxSize: settings.maxSize),
            start: .now,
            stop: stop,
            journal: journal,
            seed: settings.seed
        )
        let load = Load(tasks: settings.tasks)
        let title = "BurstPool · \(backend.serverName) · \(settings.tasks) tasks · seed \(settings.seed)"
        let monitor = Monitor(
            context: context,
            load: load,
            statistics: { [pool] in pool.statistics },
            counts: counts,
            kills: kills,
            screen: makeScreen(title)
        )
        load.start(context, on: backend, pool)
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
        checks.append(await compareCounts())
        let outcome = load.outcome
        checks.insert(contentsOf: repliesAndErrors(outcome.tally), at: 0)
        checks.append(await audit(outcome.ledgers))
        await pool.shutdown(drainFor: timeLimit)
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
        let chaos = Chaos(control: control, context: context, kills: kills)
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
        if await load.finish(by: .now + timeLimit) { return Check(name, true, "\(settings.tasks) tasks") }
        let finished = load.outcome.finished
        let statistics = pool.statistics
        load.cancel()
        let canBeCancelled = await load.finish(by: .now + min(timeLimit, .seconds(5)))
        return Check(
            name,
            false,
            "\(settings.tasks - finished) of \(settings.tasks) tasks had not finished \(timeLimit) after the load "
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
        let deadline = ContinuousClock.now + timeLimit
        while !isQuiet(pool.statistics), ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(10))
        }
        let statistics = pool.statistics
        let isNowQuiet = isQuiet(statistics)
        let count = "\(statistics.total) connections, none in use, no waiting caller"
        return Check("no connection and no waiting caller was lost", isNowQuiet, isNowQuiet ? count : "\(statistics)")
    }

    /// Checks that the pool, the strategy and the server count the same connections. Connections may still be closing at first.
    private func compareCounts() async -> Check {
        let name = "the pool, the strategy and the server agree"
        let deadline = ContinuousClock.now + timeLimit
        do {
            while true {
                let (total, counted) = (pool.statistics.total, counts.current)
                let onServer = try await control.poolConnections().count
                let agree = total == counted && total == onServer
                if agree { return Check(name, true, "\(total) connections") }
                guard ContinuousClock.now < deadline else {
                    return Check(
                        name,
                        false,
                        "the pool has \(total) connections, the strategy \(counted) and the server \(onServer)"
                    )
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        } catch {
            return unanswered(name, error)
        }
    }

    /// Checks that the server has the values that the tasks wrote, and removes them.
    private func audit(_ ledgers: [Ledger]) async -> Check {
        let name = "the server has the values that the tasks wrote"
        var faults: [String] = []
        do {
            for ledger in ledgers {
                var ledger = ledger
                faults += ledger.audit(try await control.values(ofTask: ledger.task))
            }
            try await control.removeValues(ofTasks: settings.tasks)
        } catch {
            return unanswered(name, error)
        }
        return Check(name, faults.isEmpty, faults.first ?? "of \(ledgers.count.grouped) tasks")
    }

    private func checksAfterShutdown(_ total: Int) async -> [Check] {
        [
            Check(
                "the pool never exceeded burstLimit",
                counts.peak <= settings.burstLimit,
                "at most \(counts.peak)"
            ),
            Check("the pool is empty after the shutdown", total == 0, total == 0 ? "" : "\(pool.statistics)"),
            Check(
                "every opened connection was closed",
                counts.opened == counts.closed,
                "\(counts.opened) opened, \(counts.closed) closed"
            ),
            await noConnectionLeftOnServer(),
        ]
    }

    /// Checks that the server has no connection of the pool left. The server may notice a close a little later.
    private func noConnectionLeftOnServer() async -> Check {
        let name = "the server has no connection of the pool left"
        let deadline = ContinuousClock.now + min(timeLimit, .seconds(5))
        do {
            while true {
                let left = try await control.poolConnections().count
                if left == 0 { return Check(name, true, "") }
                guard ContinuousClock.now < deadline else { return Check(name, false, "\(left) connections are left") }
                try await Task.sleep(for: .milliseconds(20))
            }
        } catch {
            return unanswered(name, error)
        }
    }

    private func unanswered(_ name: String, _ error: any Error) -> Check {
        Check(name, false, "The server could not be queried: \(describe(error))")
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
                server: backend.serverName,
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
                opened: counts.opened,
                closed: counts.closed,
                failedToOpen: counts.failedToOpen,
                foundDead: counts.foundDead,
                killed: kills.value,
                peakTotal: counts.peak
            ),
            secondsBursting: timeline.timeBursting(maxSize: settings.maxSize).inSeconds,
            peakWaiting: timeline.peakWaiting,
            totalAfterShutdown: totalAfterShutdown,
            timeline: settings.picturePath,
            checks: checks
        )
    }
}
