import BurstPool
import BurstPoolRedis
import Configuration
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
            let settings = try Settings(from: ConfigReader(provider: EnvironmentVariablesProvider()))
            var logger = Logger(label: "link-server")
            logger.logLevel = settings.logLevel
            try await LinkService(settings: settings, logger: logger).run()
        } catch let error as SettingsError {
            fail("\(error)\nlink-server --help lists the settings.", status: EX_CONFIG)
        } catch {
            fail("\(error)", status: EXIT_FAILURE)
        }
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        FileHandle.standardError.write(Data("link-server: \(message)\n".utf8))
        exit(status)
    }
}
