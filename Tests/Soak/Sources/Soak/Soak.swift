// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Foundation
import Synchronization

/// Runs one pool after another, each with other options, until the time has passed or there is a finding.
final class Soak<System: Backend>: Sendable {
    private let options: Options
    private let report: Report
    private let backend: System
    private let proxy: Proxy
    private let census: Census<System>
    private let started = ContinuousClock.now

    init(_ options: Options) async throws {
        self.options = options
        report = Report(sabotage: options.sabotage)
        backend = try await System(sabotage: options.sabotage)
        proxy = Proxy(server: backend.socketPath, wire: System.wire, seed: options.seed, report: report)
        census = Census(proxy: proxy, backend: backend, patience: options.patience, report: report)
    }

    private var elapsed: Duration { .now - started }

    /// - Returns: Whether there was no finding.
    func run() async throws -> Bool {
        defer { backend.stop() }
        say("\(System.name), seed \(options.seed)")
        let endpoints = try await proxy.listen(path: backend.proxySocketPath)
        let ticker = Task { await self.printProgress() }
        var memory = MemoryWatch()
        var lives = 0
        // At least two, because the memory of a second pool is needed for the comparison.
        while !report.findings.hasAny, lives < 3 || elapsed < options.length {
            lives += 1
            await live(LifePlan(number: lives, seed: options.seed, pace: System.pace), endpoints)
            memory.record(Footprint.now(), at: elapsed)
        }
        ticker.cancel()
        checkAgainstFaults()
        if let growth = memory.growth(over: elapsed) { report.findings.add(growth) }
        summarize(lives, memory)
        return !report.findings.hasAny
    }

    // MARK: - One life

    /// A fifteenth of the whole, so that there are many pools, with an upper limit.
    private var lengthOfLife: Duration { min(max(options.length / 15, .milliseconds(400)), .seconds(8)) }

    private func live(_ plan: LifePlan, _ endpoints: [Endpoint]) async {
        say("life \(plan.number): \(plan.description)")
        do {
            try await live(plan, endpoints[plan.isLocal ? 0 : 1])
            try await census.nothingIsLeft()
            try await everyConnectionIsAccountedFor()
        } catch {
            report.findings.add("\((error as? Missing)?.description ?? "\(error)")")
        }
    }

    private func live(_ plan: LifePlan, _ endpoint: Endpoint) async throws {
        let life = try Life(plan, seed: options.seed, backend: backend, endpoint: endpoint, report: report)
        var chaos = Chaos(life: life, proxy: proxy)

        life.open(round: 0)
        await chaos.run(until: .now + lengthOfLife)
        life.stop()
        try await sabotage(life)
        try await allVisitorsStop(life)
        try await census.everySlotCanBeLeased(life)
        try await census.agree("at rest", life.pool) { statistics in
            statistics.inUse == 0 && statistics.total <= plan.maxSize
                && statistics.idle >= plan.configuration.minimumIdle
        }

        // The second round of visitors is under way when the pool ends.
        life.open(round: 1)
        await chaos.run(until: .now + lengthOfLife / 4)
        switch plan.ending {
        case .shutdownUnderLoad, .abortUnderLoad: life.willEnd()
        case .shutdown, .dropped:
            life.stop()
            try await allVisitorsStop(life)
            if plan.ending == .dropped { return }
        }
        life.willEnd()
        if plan.ending == .abortUnderLoad {
            await life.pool.abort(timeout: options.patience)
        } else {
            await life.pool.shutdown(drainFor: options.patience)
        }
        life.stop()
        try await allVisitorsStop(life)
        try checkIsShutDown(life)
    }

    private func allVisitorsStop(_ life: Life<System>) async throws {
        try await census.wait(for: "every caller has returned") {
            (life.visitorsLeft == 0, "\(life.visitorsLeft) have not; \(life.pool.statistics)")
        }
    }

    private func checkIsShutDown(_ life: Life<System>) throws {
        let statistics = life.pool.statistics
        guard statistics.total == 0, statistics.waiting == 0 else {
            throw Missing(description: "the pool has been shut down and has \(statistics)")
        }
        guard life.pool.tryAcquire() == nil else {
            throw Missing(description: "the pool has been shut down and leases connections")
        }
    }

    /// Checks that the number of connections that the pools have opened equals the number of closed and detached ones,
    /// over all pools so far.
    private func everyConnectionIsAccountedFor() async throws {
        try await census.wait(for: "every connection that was opened is accounted for") { [report] in
            let opened = report.outcomes[EventCounter.opened]
            let closed = report.outcomes.sum(EventCounter.closed)
            let detached = report.outcomes[Outcome.detached]
            return (opened == closed + detached, "\(opened) were opened, \(closed) closed, \(detached) detached")
        }
    }

    // MARK: - All lives

    /// Checks that clients have not seen more spoiled replies than the proxy can have caused.
    private func checkAgainstFaults() {
        let (seen, done) = (report.outcomes, report.faults)
        let limits = [
            (Outcome.protocolErrors, done[Harm.spoiledFraming]),
            (Outcome.spoiledReplies, done[Harm.spoiledFraming] + done[Harm.spoiledPayload]),
            (Outcome.refusedCommands, done[Harm.spoiledCommand]),
        ]
        for (outcome, limit) in limits where seen[outcome] > limit {
            report.findings.add(
                "'\(outcome)' \(seen[outcome]) times, and the proxy is the cause of at most \(limit)"
            )
        }
        if seen[Outcome.rightReplies] == 0 { report.findings.add("there was no right reply") }
    }

    /// Does what the option `--break` asks for at this moment.
    private func sabotage(_ life: Life<System>) async throws {
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
                try await strategy.closeConnection(connection)
            }
        case .loseCaller: life.loseCaller()
        case .keepMemory: Ballast.shared.add(4 << 20)
        case .swapReplies, .spoilUncounted, .lateCancel, .splitTransaction, .keepSetting, nil: break
        }
    }

    // MARK: - Output

    private func say(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    private func printProgress() async {
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
        say("\n\(lives) pools in \(elapsed.components.seconds) s. Faults:")
        for (what, count) in report.faults.all { say("  \(count)\t\(what)") }
        say("Outcomes of the visits:")
        for (what, count) in report.outcomes.all { say("  \(count)\t\(what)") }
        say(memory.description)
        for finding in report.findings.all { say("FOUND: \(finding)") }
        say(
            report.findings.hasAny
                ? "there are findings, with seed \(options.seed)"
                : "no wrong reply, no connection lost, no caller lost, memory flat"
        )
    }
}

/// Memory that ``Sabotage/keepMemory`` keeps.
private final class Ballast: Sendable {
    static let shared = Ballast()
    private let kept = Mutex<[[UInt8]]>([])

    func add(_ bytes: Int) {
        kept.withLock { $0.append(Array(repeating: 1, count: bytes)) }
    }
}
