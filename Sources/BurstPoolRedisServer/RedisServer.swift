// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A private `redis-server` in a temporary folder of its own. It listens on a unix socket and, on request, on loopback.
///
/// The server is the child of a small shell script that reads its standard input. The script kills the server, by its
/// process id, when ``stop()`` is called, when this object is released, and when this process ends for any reason,
/// because the pipe to the script breaks then.
package final class RedisServer: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// The folder of the server. It is removed when the server stops.
    package let folder: URL
    /// The port on 127.0.0.1; `nil` if the server listens on its unix socket only.
    package let port: Int?

    package var socketPath: String { folder.appendingPathComponent("redis.sock").path }

    private let arguments: [String]
    private let guardian: Mutex<Guardian?>

    /// The shell script that owns a server process.
    private struct Guardian: @unchecked Sendable {
        let process: Process
        let input: Pipe
        let server: pid_t
    }

    /// Starts a server and waits until it answers.
    ///
    /// - Parameter arguments: Further options of `redis-server`.
    package init(listensOnPort: Bool = false, arguments: [String] = []) throws {
        folder = Self.temporaryFolder().appendingPathComponent("redis-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        port = listensOnPort ? try Self.freePort() : nil
        self.arguments = arguments
        guardian = Mutex(nil)
        try start()
    }

    deinit { stop() }

    /// Kills the server and removes its folder.
    package func stop() {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Kills the server, as a crash would. ``start()`` starts it again at the same address, without its data unless it was
    /// started with `--appendonly yes`.
    package func kill() {
        guardian.withLock { guardian in
            guard let running = guardian else { return }
            // The server is still a child of the script, so its id has not been reused even if it has ended by itself.
            _ = Self.send(signal: SIGKILL, to: running.server)
            try? running.input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
            guardian = nil
            while answersPing() { usleep(1_000) }
        }
    }

    /// Makes a replica a primary, with the data that it has now.
    package func promote() throws {
        let socket = try PlainSocket()
        guard socket.connect(path: socketPath), socket.roundTrip("REPLICAOF NO ONE\r\n") else {
            throw Failure(description: "The replica does not answer.")
        }
    }

    /// Removes what the server has written with `--appendonly yes`. It must not run.
    package func removeAppendOnlyFile() throws {
        try FileManager.default.removeItem(at: folder.appendingPathComponent("appendonlydir"))
    }

    /// Starts the server again after ``kill()``.
    package func start() throws {
        let started = try launch()
        guardian.withLock { $0 = started }
        let deadline = ContinuousClock.now + .seconds(20)
        while !answersPing() {
            guard ContinuousClock.now < deadline, Self.send(signal: 0, to: started.server) == 0 else {
                let log = (try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)) ?? ""
                stop()
                throw Failure(description: "redis-server does not answer. Its log: \(log)")
            }
            usleep(5_000)
        }
    }

    // MARK: -

    private static let script = """
        log=$1; folder=$2; shift 2
        "$@" > "$log" 2>&1 &
        echo $!
        if read line; then kill -9 $!; else kill -9 $!; rm -rf "$folder"; fi 2> /dev/null
        """

    private func launch() throws -> Guardian {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.standardInput = input
        process.standardOutput = output
        process.arguments =
            ["-c", Self.script, "sh", folder.appendingPathComponent("log").path, folder.path, try Self.executable()]
            + ["--port", "\(port ?? 0)", "--bind", "127.0.0.1", "--unixsocket", socketPath, "--dir", folder.path]
            + ["--save", "", "--appendonly", "no", "--daemonize", "no"] + arguments
        try process.run()
        var line = Data()
        while !line.contains(UInt8(ascii: "\n")) {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            line.append(data)
        }
        let text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let server = pid_t(text) else {
            throw Failure(description: "The script that starts redis-server has not printed the process id.")
        }
        return Guardian(process: process, input: input, server: server)
    }

    /// The system's folder for temporary files, or `/tmp` if its path is too long for the path of a unix socket in it.
    private static func temporaryFolder() -> URL {
        let folder = FileManager.default.temporaryDirectory
        return folder.path.utf8.count <= 64 ? folder : URL(fileURLWithPath: "/tmp", isDirectory: true)
    }

    private static func executable() throws -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
        for folder in folders {
            let candidate = folder + "/redis-server"
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        throw Failure(
            description: "redis-server is missing. Install it with apt-get install redis-server, or brew install redis."
        )
    }

    private static func send(signal: Int32, to process: pid_t) -> Int32 {
        #if canImport(Darwin)
            Darwin.kill(process, signal)
        #else
            Glibc.kill(process, signal)
        #endif
    }

    /// Whether the server answers on its unix socket, even if the answer is that it needs a password.
    private func answersPing() -> Bool {
        guard let socket = try? PlainSocket() else { return false }
        return socket.connect(path: socketPath) && socket.roundTrip("PING\r\n")
    }

    /// Finds a free port of 127.0.0.1.
    package static func freePort() throws -> Int {
        guard let port = try PlainSocket(isInternet: true).bindToLoopback() else {
            throw Failure(description: "There is no free port on loopback.")
        }
        return port
    }
}
