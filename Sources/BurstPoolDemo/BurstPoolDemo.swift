// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

@main
struct BurstPoolDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burst-pool-demo",
        abstract:
            "Puts load on a Redis or PostgreSQL server through a connection pool: steady load, a spike, and calm.",
        discussion: """
            Every task checks every reply against a value that only this task can expect. At the end the demo compares the \
            counts of the pool, the strategy and the server. The exit status is 0 only if every check passed. Ctrl-C ends \
            the load and shows the summary. A second Ctrl-C ends the demo immediately.

            On PostgreSQL, the values of the tasks are in a table burst_pool_demo_… of the run. The demo drops it at the end, \
            but not after a second Ctrl-C.
            """
    )

    @Option(help: "The number of tasks in the spike. (default: 5 times the burst limit)")
    var tasks: Int?

    @Option(help: "The duration of the load in seconds.")
    var seconds = 12.0

    @Option(help: "The number of connections that the pool keeps.")
    var maxSize = 8

    @Option(help: "The largest number of connections at any time. (default: 3 times the maximum size)")
    var burstLimit: Int?

    @Flag(help: "Kill several random connections a second, and cancel some requests.")
    var chaos = false

    @Option(
        help: ArgumentHelp(
            "The server to use instead of a private one: redis://, rediss://, valkey://, unix:// or postgresql://.",
            discussion:
                "Examples: redis://127.0.0.1:6379, unix:///run/redis.sock, postgresql://app:secret@127.0.0.1/app.",
            valueName: "url"
        )
    )
    var server: String?

    @Flag(help: "Use a private PostgreSQL server instead of a private Redis.")
    var postgres = false

    @Option(help: "The file for the picture of the run.")
    var svg = "demo-output/timeline.svg"

    @Option(
        help: "The seed of the random choices: what the tasks do, and which connections are killed. (default: random)"
    )
    var seed: UInt64?

    @Flag(help: "Print the summary as JSON to standard output, and other output to standard error.")
    var json = false

    func validate() throws {
        do {
            _ = try settings()
        } catch {
            throw ValidationError("\(error)")
        }
    }

    func run() async throws {
        let settings = try settings()
        let picture = try Picture(path: settings.picturePath)
        let stop = StopSignal()
        let interruption = Interruption(stop)
        let backend = try await settings.server.makeBackend(for: settings)
        defer { backend.stop() }

        let output = json ? Output.error : Output.standard
        let isLive = !json && Terminal.isTerminal(output.descriptor)
        let (summary, document) = try await Self.run(settings, on: backend, stop) { title in
            if isLive { return LiveScreen(output: output, title: title) }
            output.print(title)
            return PlainScreen(output: output)
        }
        try picture.write(document)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Output.standard.print(String(decoding: try encoder.encode(summary), as: UTF8.self))
        } else {
            output.print(summary.text(color: isLive && Terminal.wantsColor))
        }
        withExtendedLifetime(interruption) {}
        if !summary.hasPassed { throw ExitCode.failure }
    }

    private static func run(
        _ settings: DemoSettings,
        on backend: some Backend,
        _ stop: StopSignal,
        _ makeScreen: (String) -> any Screen
    ) async throws -> (summary: Summary, picture: String) {
        try await DemoRun(settings, on: backend, stop: stop).run(makeScreen)
    }

    private func settings() throws -> DemoSettings {
        try DemoSettings(
            tasks: tasks,
            seconds: seconds,
            maxSize: maxSize,
            burstLimit: burstLimit,
            chaos: chaos,
            server: ServerChoice(url: server, postgres: postgres),
            picturePath: svg,
            seed: seed
        )
    }
}
