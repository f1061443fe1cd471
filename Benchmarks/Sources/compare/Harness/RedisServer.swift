import Foundation

/// A Redis of our own, on a socket in a folder of its own, without anything on disk.
struct RedisServer {
    let socket: String
    private let process: Process
    private let folder: URL

    /// `nil` if there is no redis-server.
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
            // A polite signal would not arrive: the process inherits the signal mask of the thread that started it, and
            // threads of Swift's pool block them. There is nothing to be saved.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: folder)
    }
}
