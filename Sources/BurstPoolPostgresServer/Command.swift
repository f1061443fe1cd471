// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs programs and waits for them.
enum Command {
    /// Runs a program and returns what it printed.
    ///
    /// - Throws: ``PostgresServer/Failure`` with the program's output if it fails.
    @discardableResult
    static func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw PostgresServer.Failure(description: "\(program) failed: \(text)")
        }
        return text
    }

    /// PostgreSQL's server programs refuse to run as root, so root runs them as another user.
    static let serverUser: String? = {
        guard getuid() == 0 else { return nil }
        return getpwnam("postgres") != nil ? "postgres" : "nobody"
    }()

    /// A command line that runs a server program as ``serverUser``. The process keeps its id.
    static func asServerUser(_ command: [String]) throws -> [String] {
        guard let user = serverUser else { return command }
        let group = try run("/usr/bin/id", ["-g", user]).trimmingCharacters(in: .whitespacesAndNewlines)
        return [try find("setpriv"), "--reuid=\(user)", "--regid=\(group)", "--clear-groups"] + command
    }

    static func find(_ program: String) throws -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        for folder in path.split(separator: ":").map(String.init) + ["/usr/bin", "/bin", "/usr/local/bin"] {
            let candidate = folder + "/" + program
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        throw PostgresServer.Failure(
            description:
                "\(program) is missing. Install it, on Debian and Ubuntu with apt-get install openssl util-linux."
        )
    }

    /// The newest installed version of one of PostgreSQL's server programs, which Debian keeps outside of `PATH`.
    static func findServerProgram(_ program: String) throws -> String {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        for version in versions.compactMap({ Int($0) }).sorted(by: >) {
            let candidate = "/usr/lib/postgresql/\(version)/bin/\(program)"
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        do {
            return try find(program)
        } catch {
            throw PostgresServer.Failure(
                description:
                    "PostgreSQL's server program \(program) is missing. Install it with apt-get install postgresql, or brew "
                    + "install postgresql@15."
            )
        }
    }
}
