import ArgumentParser
import Foundation

@main
struct BurstPoolDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burst-pool-demo",
        abstract: "Drives a Redis server through a connection pool: steady load, a spike, calm.",
        discussion: """
            Every reply is checked against what only the task that gets it can expect, and at the end the books of the pool, \
            of the strategy and of the server have to agree. The exit status is 0 only if all is right. Ctrl-C ends the load \
            and shows the summary; a second one ends at once.
            """
    )

    @Option(help: "How many tasks there are in the spike. (default: 5 times the burst limit)")
    var tasks: Int?

    @Option(help: "How long the load lasts.")
    var seconds = 12.0

    @Option(help: "How many connections the pool keeps.")
    var maxSize = 8

    @Option(help: "How many connections there may be at any time. (default: 3 times the maximum size)")
    var burstLimit: Int?

    @Flag(help: "Kill connections at random, several a second, and cancel some requests.")
    var chaos = false

    @Option(help: "A server to use instead of a private one, such as redis://127.0.0.1:6379 or unix:///run/redis.sock.")
    var redis: String?

    @Option(help: "Where to write the picture of the run.")
    var svg = "demo-output/timeline.svg"

    @Option(help: "Decides what the tasks do and which connections are killed. (default: random)")
    var seed: UInt64?

    @Flag(help: "Print the summary as JSON to standard output, and everything else to standard error.")
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
        let server = try await Server(settings.server)
        defer { server.stop() }

        let output = json ? Output.error : Output.standard
        let isLive = !json && Terminal.isTerminal(output.descriptor)
        let (summary, document) = try await DemoRun(settings, server: server, stop: stop).run { title in
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
            output.print(summary.text(colour: isLive && Terminal.wantsColour))
        }
        withExtendedLifetime(interruption) {}
        if !summary.isRight { throw ExitCode.failure }
    }

    private func settings() throws -> DemoSettings {
        try DemoSettings(
            tasks: tasks,
            seconds: seconds,
            maxSize: maxSize,
            burstLimit: burstLimit,
            chaos: chaos,
            url: redis,
            picturePath: svg,
            seed: seed
        )
    }
}
