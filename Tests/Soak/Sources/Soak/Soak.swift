import BurstPool
import BurstPoolRedis
import Foundation
import Synchronization

/// One life of a pool after the other, each with other options, until the time is up or something is found.
final class Soak: Sendable {
    private let options: Options
    private let report: Report
    private let server: Server
    private let proxy: Proxy
    private let census: Census
    private let started = ContinuousClock.now

    init(_ options: Options) throws {
        self.options = options
        report = Report(sabotage: options.sabotage)
        server = try Server()
        proxy = Proxy(server: server.socketPath, seed: options.seed, report: report)
        census = Census(proxy: proxy, server: server, patience: options.patience, report: report)
    }

    private var elapsed: Duration { .now - started }

    /// - Returns: Whether nothing was found.
    func run() async throws -> Bool {
        defer { server.stop() }
        say("seed \(options.seed)")
        let endpoints = try await proxy.listen(path: server.path(beside: "proxy.sock"))
        let ticker = Task { await self.tellProgress() }
        var memory = MemoryWatch()
        var lives = 0
        // At least two, or there would be nothing to compare the memory of the second with.
        while !report.findings.hasAny, lives < 3 || elapsed < options.length {
            lives += 1
            await live(LifePlan(number: lives, seed: options.seed), endpoints)
            memory.record(Footprint.now(), at: elapsed)
        }
        ticker.cancel()
        checkAgainstFaults()
        if let growth = memory.growth(over: elapsed) { report.findings.add(growth) }
        summarize(lives, memory)
        return !report.findings.hasAny
    }

    // MARK: - One life

    /// A fifteenth of the whole, so that there are many; not much longer than a short soak's.
    private var lengthOfLife: Duration { min(max(options.length / 15, .milliseconds(400)), .seconds(8)) }

    private func live(_ plan: LifePlan, _ endpoints: [RedisConfiguration.Endpoint]) async {
        say("life \(plan.number): \(plan.description)")
        do {
            try await live(plan, endpoints[plan.isLocal ? 0 : 1])
            try await census.nothingIsLeft()
            try await everyConnectionIsAccountedFor()
        } catch {
            report.findings.add("\((error as? Census.Missing)?.description ?? "\(error)")")
        }
    }

    private func live(_ plan: LifePlan, _ endpoint: RedisConfiguration.Endpoint) async throws {
        let life = try Life(plan, seed: options.seed, endpoint: endpoint, report: report)
        var chaos = Chaos(life: life, proxy: proxy, server: server)

        life.open(round: 0)
        await chaos.run(until: .now + lengthOfLife)
        life.stop()
        try await sabotage(life)
        try await allGoHome(life)
        try await census.everyPlaceCanBeLeased(life)
        try await census.agree("at rest", life.pool) { statistics in
            statistics.inUse == 0 && statistics.total <= plan.maxSize
                && statistics.idle >= plan.configuration.minimumIdle
        }

        // Once more, and then the end, at rest or not.
        life.open(round: 1)
        await chaos.run(until: .now + lengthOfLife / 4)
        switch plan.ending {
        case .shutdownUnderLoad, .abortUnderLoad: life.willEnd()
        case .shutdown, .dropped:
            life.stop()
            try await allGoHome(life)
            if plan.ending == .dropped { return }
        }
        life.willEnd()
        if plan.ending == .abortUnderLoad {
            await life.pool.abort(timeout: options.patience)
        } else {
            await life.pool.shutdown(drainFor: options.patience)
        }
        life.stop()
        try await allGoHome(life)
        try checkIsShutDown(life)
    }

    private func allGoHome(_ life: Life) async throws {
        try await census.wait(for: "every caller has come back") {
            (life.visitorsLeft == 0, "\(life.visitorsLeft) have not; \(life.pool.statistics)")
        }
    }

    private func checkIsShutDown(_ life: Life) throws {
        let statistics = life.pool.statistics
        guard statistics.total == 0, statistics.waiting == 0 else {
            throw Census.Missing(description: "the pool has been shut down and has \(statistics)")
        }
        guard life.pool.tryAcquire() == nil else {
            throw Census.Missing(description: "the pool has been shut down and hands out connections")
        }
    }

    /// As many as the pools say they opened were closed, or taken out by callers. Exactly, in all lives so far.
    private func everyConnectionIsAccountedFor() async throws {
        try await census.wait(for: "every connection that was opened is accounted for") { [report] in
            let opened = report.outcomes[EventCounter.opened]
            let closed = report.outcomes.sum(EventCounter.closed)
            let detached = report.outcomes[Outcome.detached]
            return (opened == closed + detached, "\(opened) were opened, \(closed) closed, \(detached) detached")
        }
    }

    // MARK: - All lives

    /// What clients have seen that only the proxy can have caused must not be more than it did.
    private func checkAgainstFaults() {
        let (seen, done) = (report.outcomes, report.faults)
        let limits = [
            (Outcome.protocolErrors, done[Harm.spoiledFraming]),
            (Outcome.spoiledReplies, done[Harm.spoiledFraming] + done[Harm.spoiledPayload]),
            (Outcome.refusedCommands, done[Harm.spoiledCommand]),
        ]
        for (outcome, limit) in limits where seen[outcome] > limit {
            report.findings.add(
                "'\(outcome)' \(seen[outcome]) times, and the proxy is the cause of \(limit) at the most"
            )
        }
        if seen[Outcome.rightReplies] == 0 { report.findings.add("not one right reply") }
    }

    /// Does at this moment what the option `--break` wants to be done at one.
    private func sabotage(_ life: Life) async throws {
        switch options.sabotage {
        case .keepLease:
            Task {
                let lease = try await life.pool.acquire(timeout: .seconds(5))
                try await Task.sleep(for: .seconds(3_600))
                lease.release()
            }
        case .loseConnection:
            let strategy = life.strategy
            Task {
                let connection = try await strategy.makeConnection()
                try await Task.sleep(for: .seconds(3_600))
                try await connection.close()
            }
        case .loseCaller: life.loseCaller()
        case .keepMemory: Ballast.shared.add(4 << 20)
        case .swapReplies, .spoilUncounted, nil: break
        }
    }

    // MARK: - Telling

    private func say(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    private func tellProgress() async {
        while true {
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
            let footprint = Footprint.now()
            say(
                "  \(elapsed.components.seconds) s: \(report.outcomes[Outcome.rightReplies]) right replies, "
                    + "\(proxy.open.clients) connections open, \(footprint.resident >> 20) MiB"
            )
        }
    }

    private func summarize(_ lives: Int, _ memory: MemoryWatch) {
        say("\n\(lives) pools in \(elapsed.components.seconds) s. What was done to them:")
        for (what, count) in report.faults.all { say("  \(count)\t\(what)") }
        say("What came of it:")
        for (what, count) in report.outcomes.all { say("  \(count)\t\(what)") }
        say(memory.description)
        for finding in report.findings.all { say("FOUND: \(finding)") }
        say(
            report.findings.hasAny
                ? "something was found, with seed \(options.seed)"
                : "no wrong reply, no connection lost, no caller lost, memory flat"
        )
    }
}

/// What ``Sabotage/keepMemory`` keeps.
private final class Ballast: Sendable {
    static let shared = Ballast()
    private let kept = Mutex<[[UInt8]]>([])

    func add(_ bytes: Int) {
        kept.withLock { $0.append(Array(repeating: 1, count: bytes)) }
    }
}
