// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A private Redis, on a socket in its own folder, without files on disk.
struct RedisServer {
    let socket: String
    private let process: Process
    private let folder: URL

    /// Returns `nil` if redis-server is not installed.
    static func start() async throws -> RedisServer? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "burst-pool-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let socket = folder.appending(path: "redis.sock").path
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir",
            folder.path,
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let server = RedisServer(socket: socket, process: process, folder: folder)
        for _ in 0..<200 {
            if FileManager.default.fileExists(atPath: socket) { return server }
            if !process.isRunning { break }
            try await Task.sleep(for: .milliseconds(25))
        }
        server.stop()
        return nil
    }

    func stop() {
        if process.isRunning {
            // A termination signal would not arrive, because the process inherits the signal mask of the thread that
            // started it, and threads of Swift's pool block such signals. There is nothing to save.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: folder)
    }
}
