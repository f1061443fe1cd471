// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BurstPoolPostgresServer
import Dispatch
import Foundation
import Synchronization

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Starts the servers and the processes, causes faults, and counts the connections at the server.",
        discussion: """
            The demo starts a private PostgreSQL server with max_connections = \(FleetPlan.maxConnections), a private Redis, and \
            the processes. Their pools share a budget of \(FleetPlan.total) connections. Bursts move from process to process. \
            Processes are killed and replaced. Others are stopped, or cut off from Redis, until their shares may have been \
            granted to others. Redis is restarted with and without its data, and fails over to a replica that has lost the \
            writes of the latest \(FleetPlan.lostWrites.components.seconds) seconds.

            If the demo is run by root on Linux and there is an ip command, each process has a network namespace of its own, whose \
            link is taken down to cut the process off. Otherwise a relay stops passing bytes.

            pg_stat_activity is read about 20 times a second. The exit status is 0 only if two looks in a row never found more \
            sessions than the budget, the server never refused a connection because it had too many, requests were served, and \
            the run was not interrupted.
            """
    )

    @Option(help: "The duration of the load in seconds.")
    var seconds = 60

    @Option(help: "The number of processes.")
    var processes = 20

    @Option(help: "The seed of the random choices. (default: random)")
    var seed: UInt64?

    @Flag(help: "Cause no faults.")
    var noFaults = false

    @Flag(help: "Cut processes off by relays, also if there could be network namespaces.")
    var relays = false

    @Option(help: "The file for the picture of the run.")
    var svg = "demo-output/fleet.svg"

    @Flag(help: ArgumentHelp("Let the processes ignore the budget, so that the demo must fail.", visibility: .hidden))
    var ignoreBudget = false

    func validate() throws {
        guard (5...3600).contains(seconds) else {
            throw ValidationError("--seconds must be at least 5 and at most 3600.")
        }
        let most = FleetPlan.total / FleetPlan.floor - 3
        guard (2...most).contains(processes) else {
            throw ValidationError("--processes must be at least 2 and at most \(most), so that replacements have room.")
        }
    }

    func run() async throws {
        let stop = StopRequest()
        let seed = seed ?? UInt64.random(in: 1...999_999)
        say("Seed \(seed). Starting PostgreSQL and Redis …")
        let postgres = try PostgresServer(settings: FleetPlan.serverSettings)
        defer { postgres.stop() }
        try postgres.execute(FleetPlan.role)
        let store = try FleetStoreServers()
        defer { store.stop() }
        let sampler = try await Sampler(url: postgres.url)
        let fleet = try WorkerFleet(
            count: processes,
            postgres: postgres,
            port: store.port,
            usesNamespaces: !relays,
            ignoresBudget: ignoreBudget
        )
        defer { fleet.end() }
        say("Processes are cut off by \(fleet.hasNamespaces ? "network namespaces" : "relays").")
        try fleet.start()

        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        var faults = Faults(seed: seed, fleet: fleet, store: store, isActive: !noFaults, start: start, end: end)
        var bursts = Bursts(seed: seed &+ 1, fleet: fleet, start: start)
        let screen = Screen(total: FleetPlan.total, processes: processes)
        var nextView = start
        while ContinuousClock.now < end, !stop.isRequested {
            try await sampler.look(at: start)
            try await faults.next(bursting: bursts.current)
            // Members draw shares in the time whose writes are lost.
            bursts.next(movesNow: faults.losesWrites)
            if ContinuousClock.now >= nextView {
                screen.show(second: (ContinuousClock.now - start) / .seconds(1), sampler, fleet, faults, bursts)
                nextView += .seconds(1)
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        faults.endAll()
        fleet.end()
        await sampler.close()
        // Also what processes have met that were killed before they could report it.
        let refusals = postgres.log.split(separator: "\n").count {
            $0.contains("too many clients") || $0.contains("remaining connection slots")
        }

        let picture = FleetPicture(sampler.samples, faults.log, total: FleetPlan.total, processes: processes)
        let file = URL(fileURLWithPath: svg)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try picture.svg().write(to: file, atomically: true, encoding: .utf8)
        let summary = RunSummary(sampler, fleet.tally, faults, refusals: refusals)
        say(summary.text)
        say("Picture: \(svg)")
        if stop.isRequested { say("The run was interrupted.") }
        guard summary.hasPassed, !stop.isRequested else { throw ExitCode.failure }
    }
}

/// Whether somebody has asked the demo to end, with Ctrl-C or a signal.
final class StopRequest: Sendable {
    private let requested = Atomic(false)
    nonisolated(unsafe) private var sources: [any DispatchSourceSignal] = []

    init() {
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
            source.setEventHandler { [weak self] in self?.requested.store(true, ordering: .relaxed) }
            source.resume()
            return source
        }
        // A process that was killed does not read what it is sent.
        signal(SIGPIPE, SIG_IGN)
    }

    var isRequested: Bool { requested.load(ordering: .relaxed) }
}
