// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import BurstPoolPostgresServer
import BurstPoolRedis
import BurstPoolRedisServer

@testable import BurstPoolDemo

// The servers that all tests share. They end with the process.
private let redis = Result { try RedisServer() }
private let postgres = Result { try PostgresServer() }

/// A kind of server on which the demo runs.
enum ServerKind: CaseIterable, Sendable {
    case redis, postgres

    /// Returns the server that all tests share.
    func choice() throws -> ServerChoice {
        switch self {
        case .redis: .redis(RedisConfiguration(unixSocketPath: try BurstPoolDemoTests.redis.get().socketPath))
        case .postgres: .postgres(try PostgresConfiguration(url: sharedPostgres().socketURL))
        }
    }
}

func sharedPostgres() throws -> PostgresServer {
    try postgres.get()
}

/// Returns the settings of a run that is as short as it can be, but long enough for several kills.
func shortSettings(_ server: ServerChoice, chaos: Bool = false, burstLimit: Int = 8) throws -> DemoSettings {
    try DemoSettings(
        tasks: 32,
        seconds: chaos ? 4 : 1,
        maxSize: 4,
        burstLimit: burstLimit,
        chaos: chaos,
        server: server,
        picturePath: "unused",
        seed: nil
    )
}

/// Runs the demo without a view.
func runDemo(
    _ settings: DemoSettings,
    on backend: some Backend,
    timeLimit: Duration = .seconds(60)
) async throws -> (summary: Summary, picture: String) {
    try await DemoRun(settings, on: backend, stop: StopSignal(), timeLimit: timeLimit).run { _ in NoScreen() }
}

/// Runs the demo on a backend with a fault.
func runDemo(
    _ settings: DemoSettings,
    with fault: Fault,
    on backend: some Backend
) async throws -> (summary: Summary, picture: String) {
    // Short, because some faults keep a check waiting until its time limit.
    try await runDemo(settings, on: FaultyBackend(base: backend, fault: fault), timeLimit: .seconds(2))
}

extension Summary {
    /// The checks that have failed, with their results.
    var failures: [String] { checks.filter { !$0.passed }.map { "\($0.name): \($0.detail)" } }
}

private struct NoScreen: Screen {
    let interval = Duration.seconds(1)

    func show(_ timeline: Timeline, _ context: LoadContext) {}

    func finish() {}
}
