import BurstPool
import BurstPoolDatadog
import Configuration
import CoreMetrics
import Foundation
import LinkService
import Logging

/// Runs the service with the settings of the environment.
@main
struct LinkServer {
    static func main() async {
        if CommandLine.arguments.contains(where: { ["-h", "--help"].contains($0) }) {
            print(Settings.help)
            return
        }
        do {
            let settings = try Settings(from: EnvironmentVariablesProvider())
            var logger = Logger(label: "link-server")
            logger.logLevel = settings.logLevel
            try await run(settings, logger)
        } catch let error as SettingsError {
            fail("\(error)\nlink-server --help lists the settings.", status: EX_CONFIG)
        } catch let error as ConnectionPoolError where error.code == .invalidConfiguration {
            fail("the pool's settings do not go together: \(error.message)", status: EX_CONFIG)
        } catch {
            fail("\(error)", status: EXIT_FAILURE)
        }
    }

    private static func run(_ settings: Settings, _ logger: Logger) async throws {
        let metrics = ScrapedMetrics()
        let datadog = try settings.datadog.map { try DogStatsDClient(configuration: $0) }
        let sent = datadog.map { DogStatsDMetricsFactory(client: $0) }
        MetricsSystem.bootstrap(sent.map { MultiplexMetricsHandler(factories: [metrics, $0]) } ?? metrics)

        let service = try LinkService(settings: settings, metrics: metrics, datadog: datadog, logger: logger)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await service.run())
        } catch {
            outcome = .failure(error)
        }
        // The last of the metrics are those of the end.
        await datadog?.shutdown()
        try outcome.get()
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        FileHandle.standardError.write(Data("link-server: \(message)\n".utf8))
        exit(status)
    }
}
