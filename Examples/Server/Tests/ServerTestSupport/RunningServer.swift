// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The example server as a process on a free local port.
public final class RunningServer: Sendable {
    public let process: GuardedProcess
    public let port: Int
    private let folder: URL

    public var url: String { "http://127.0.0.1:\(port)" }

    /// Starts the server and returns when it accepts requests.
    ///
    /// - Parameter settings: The environment variables.
    public init(on database: any PrivateDatabase, port: Int = 0, settings: [String: String] = [:]) async throws {
        let folder = try Self.makeFolder()
        let standard = database.settings.merging(["PORT": "\(port)"]) { $1 }
        let process = try await GuardedProcess(
            Self.executable.path,
            environment: standard.merging(settings) { $1 },
            log: folder.appendingPathComponent("log")
        )
        self.folder = folder
        self.process = process
        self.port = try await Self.port(of: process)
    }

    /// Runs the server with invalid settings until it ends.
    ///
    /// - Returns: The exit status and the output.
    public static func failure(settings: [String: String]) async throws -> (status: Int32, message: String) {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = try await GuardedProcess(
            executable.path,
            environment: settings,
            log: folder.appendingPathComponent("log")
        )
        return (try await process.status(), process.output)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// The program in the folder of the test program.
    public static var executable: URL {
        let tests = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
        return tests.resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("link-server")
    }

    private static func makeFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("link-server-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private static func port(of process: GuardedProcess) async throws -> Int {
        var port: Int?
        do {
            try await eventually("the server accepts requests") {
                port = process.output.firstMatch(of: #/url=http://\S+:(\d+)\s/#).flatMap { Int($0.1) }
                return port != nil
            }
        } catch {
            throw GuardedProcess.Failure("\(error). Output: \(process.output)")
        }
        return port ?? 0
    }
}
