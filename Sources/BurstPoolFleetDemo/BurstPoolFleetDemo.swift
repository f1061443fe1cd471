// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

@main
struct BurstPoolFleetDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burst-pool-fleet-demo",
        abstract: "Runs processes with one budget of connections on a PostgreSQL server, with faults.",
        subcommands: [Run.self, Worker.self],
        defaultSubcommand: Run.self
    )
}

/// What all processes of the demo agree on.
struct FleetPlan: Sendable {
    /// `max_connections` of the server. It reserves 3 of them for superusers.
    static let maxConnections = 60

    /// The budget: 3 below what the server has for the processes, because a connection that has closed is still counted by
    /// the server for a moment.
    static let total = 54

    static let floor = 1

    /// The most tasks of one process that use connections at the same time.
    static let tasksInBurst = 16

    // Short terms, so that a minute shows many of them.
    static let term = Duration.seconds(2)
    static let memberTerm = Duration.seconds(10)
    static let grace = Duration.seconds(2)

    /// What the primary writes in this time before the failover is lost.
    static let lostWrites = Duration.seconds(3)

    /// When Redis is restarted with its data, restarted without it, and failed over, as parts of the run.
    static let storeFaults: [(part: Double, kind: Faults.Kind)] = [
        (0.35, .restart), (0.55, .loss), (0.75, .failover),
    ]

    static let serverSettings = ["max_connections=\(maxConnections)", "client_connection_check_interval=250ms"]

    /// Creates the role of the processes. A process that was stopped closes nothing, so the server ends its idle sessions before its
    /// share is granted to others.
    static let role = """
        CREATE ROLE app LOGIN PASSWORD 'app'; ALTER ROLE app SET idle_session_timeout = '1500ms'
        """
}
