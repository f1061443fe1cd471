// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolDatadog
import CoreMetrics
import Foundation
import LinkService
import Logging

/// Runs the service with the settings in the environment.
@main
struct LinkServer {
    static func main() async {
        if CommandLine.arguments.contains(where: { ["-h", "--help"].contains($0) }) {
            print(Settings.help)
            return
        }
        do {
            let settings = try Settings(environment: ProcessInfo.processInfo.environment)
            var logger = Logger(label: "link-server")
            logger.logLevel = settings.logLevel
            logger.notice("Settings: \(settings.summary)")
            for warning in settings.warnings { logger.warning("\(warning)") }
            try await run(settings, logger)
        } catch let error as SettingsError {
            fail("\(error)\nlink-server --help lists the settings.", status: EX_CONFIG)
        } catch let error as ConnectionPoolError where error.code == .invalidConfiguration {
            fail("The settings of the pool do not fit together: \(error.message)", status: EX_CONFIG)
        } catch {
            fail("\(error)", status: EXIT_FAILURE)
        }
    }

    private static func run(_ settings: Settings, _ logger: Logger) async throws {
        let metrics = ScrapedMetrics()
        let datadog = try settings.datadog.map { configuration in
            var configuration = configuration
            configuration.logger = logger
            return try DogStatsDClient(configuration: configuration)
        }
        let sent = datadog.map { DogStatsDMetricsFactory(client: $0) }
        MetricsSystem.bootstrap(sent.map { MultiplexMetricsHandler(factories: [metrics, $0]) } ?? metrics)

        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await serveLinks(settings, metrics: metrics, datadog: datadog, logger: logger))
        } catch {
            outcome = .failure(error)
        }
        // After the service, because its last metrics are those of its shutdown.
        await datadog?.shutdown()
        try outcome.get()
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        FileHandle.standardError.write(Data("link-server: \(message)\n".utf8))
        exit(status)
    }
}
