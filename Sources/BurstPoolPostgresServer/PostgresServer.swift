// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A private PostgreSQL server in a temporary folder of its own. It listens on a free port of 127.0.0.1, with and without
/// TLS, and on a unix socket.
///
/// The superuser is `postgres` with the password `secret`, and the database is `postgres`. The unix socket needs no
/// password. The settings favour speed over durability.
///
/// The server is the child of a small shell script that waits for the end of its standard input. The server is stopped and
/// its folder removed when ``stop()`` is called, when this object goes away, and also when this process ends in whatever
/// way, because then the pipe breaks.
package final class PostgresServer: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The folder of the server; removed when it stops.
    package let folder: URL
    /// The port on 127.0.0.1.
    package let port: Int

    package static let user = "postgres"
    package static let password = "secret"

    private let settings: [String]
    private let guardian = Mutex<Guardian?>(nil)

    /// The shell script that holds the server.
    private struct Guardian: @unchecked Sendable {
        let process: Process
        let input: Pipe
        let server: pid_t
    }

    /// Starts a server and waits until it accepts connections.
    ///
    /// - Parameter settings: Settings of the server such as `max_connections=20`.
    package convenience init(settings: [String] = []) throws {
        try self.init(settings: settings) { folder in
            let passwordFile = folder.appendingPathComponent("password")
            try Data((PostgresServer.password + "\n").utf8).write(to: passwordFile)
            try PostgresServer.give(passwordFile)
            try Command.runAsServerUser(
                try Command.findServerProgram("initdb"),
                [
                    "--pgdata", folder.appendingPathComponent("data").path, "--username", PostgresServer.user,
                    "--pwfile", passwordFile.path, "--auth-local", "trust", "--auth-host", "scram-sha-256",
                    "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions",
                ]
            )
        }
    }

    /// Starts a standby that replicates from a running server. It is a copy of it until it is promoted.
    package convenience init(standbyOf primary: PostgresServer) throws {
        try self.init(settings: primary.settings) { folder in
            try Command.runAsServerUser(
                try Command.findServerProgram("pg_basebackup"),
                [
                    "--pgdata", folder.appendingPathComponent("data").path, "--write-recovery-conf", "--no-sync",
                    "--checkpoint", "fast", "--wal-method", "stream", "--dbname",
                    "host=\(primary.socketFolder) port=\(primary.port) user=\(PostgresServer.user)",
                ]
            )
        }
    }

    private init(settings: [String], makeData: (URL) throws -> Void) throws {
        self.settings = settings
        // Short, because the path of a socket may have 107 bytes only.
        folder = URL(fileURLWithPath: "/tmp/burst-pool-pg-\(UInt32.random(in: 0 ... .max))")
        port = try FreePort.find()
        let manager = FileManager.default
        try manager.createDirectory(at: folder, withIntermediateDirectories: true)
        do {
            try Self.give(folder)
            try makeData(folder)
            try Certificates.make(in: folder)
            for name in ["server.crt", "server.key"] { try Self.give(folder.appendingPathComponent(name)) }
            try start()
        } catch {
            stop()
            throw error
        }
    }

    deinit { stop() }

    // MARK: - Addresses

    /// The folder of the unix socket, as libpq's `host`.
    package var socketFolder: String { folder.path }
    /// A URL for TCP, with the password.
    package var url: String { "postgresql://\(Self.user):\(Self.password)@127.0.0.1:\(port)/postgres" }
    /// A URL for the unix socket.
    package var socketURL: String {
        "postgresql://\(Self.user)@/postgres?host=\(folder.path.replacingOccurrences(of: "/", with: "%2F"))&port=\(port)"
    }
    /// The certificate of the authority that signed the server's certificate, which is for `localhost` and 127.0.0.1.
    package var authorityPath: String { folder.appendingPathComponent("authority.crt").path }
    /// The certificate of an authority that has nothing to do with the server.
    package var strangerPath: String { folder.appendingPathComponent("stranger.crt").path }

    // MARK: - Life

    /// Stops the server, if it runs, and removes its folder. The server cannot be started again.
    package func stop() {
        halt()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Stops the server at once, as a crash would. ``start()`` starts it again with its data.
    package func halt() {
        end(with: SIGQUIT)
    }

    /// Shuts the server down: sessions are told so (SQLSTATE 57P01) and ended.
    package func shutDownFast() {
        end(with: SIGINT)
    }

    private func end(with signal: Int32) {
        guardian.withLock { guardian in
            guard let running = guardian else { return }
            guardian = nil
            // The server remains a child of the script after its end, so its id does not belong to another process.
            kill(running.server, signal)
            let lock = folder.appendingPathComponent("data/postmaster.pid").path
            let deadline = Date.now + 10
            while FileManager.default.fileExists(atPath: lock), Date.now < deadline { usleep(5_000) }
            try? running.input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
        }
    }

    /// Starts the server again where it was, after ``halt()`` or ``shutDownFast()``.
    package func start() throws {
        let started = try launch()
        guardian.withLock { $0 = started }
        let check = try Command.findServerProgram("pg_isready")
        let deadline = Date.now + 30
        while (try? Command.run(check, ["-q", "-h", socketFolder, "-p", "\(port)"])) == nil {
            guard Date.now < deadline, kill(started.server, 0) == 0 else {
                throw Failure(description: "The PostgreSQL server does not start. Its log: \(log)")
            }
            usleep(10_000)
        }
    }

    /// What the server has logged.
    package var log: String {
        (try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)) ?? ""
    }

    /// Executes SQL with `psql` as the superuser and returns what it prints.
    @discardableResult
    package func execute(_ sql: String) throws -> String {
        try Command.run(
            try Command.findServerProgram("psql"),
            ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, socketURL]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: -

    /// Waits for a line or for the end of its input. At a line, the server has been told to stop. At the end, the process
    /// that started the server is gone. It does not use `wait`, which hangs where the signal of a child's end is blocked.
    private static let script = """
        log=$1; folder=$2; shift 2
        "$@" >> "$log" 2>&1 &
        echo $!
        if read line; then
            kill -KILL $!
        else
            kill -QUIT $!
            for attempt in 1 2 3 4 5 6 7 8 9 10; do test -e "$folder/data/postmaster.pid" && sleep 0.5; done
            kill -KILL $!
            rm -rf "$folder"
        fi 2> /dev/null
        """

    private func launch() throws -> Guardian {
        let all =
            [
                "listen_addresses=127.0.0.1", "port=\(port)", "unix_socket_directories=\(folder.path)",
                "ssl=on", "ssl_cert_file=\(folder.path)/server.crt", "ssl_key_file=\(folder.path)/server.key",
                "fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB",
                "wal_level=replica", "max_wal_senders=4", "hot_standby=on", "max_connections=100",
                "log_min_messages=warning",
            ] + settings
        let command =
            [try Command.findServerProgram("postgres"), "-D", folder.appendingPathComponent("data").path]
            + all.flatMap { ["-c", $0] }
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.currentDirectoryURL = folder
        process.standardInput = input
        process.standardOutput = output
        process.arguments =
            ["-c", Self.script, "sh", folder.appendingPathComponent("log").path, folder.path]
            + (try Command.asServerUser(command))
        try process.run()
        var line = Data()
        while !line.contains(UInt8(ascii: "\n")) {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            line.append(data)
        }
        let text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let server = pid_t(text) else {
            throw Failure(description: "The script that starts the PostgreSQL server does not tell its process id.")
        }
        return Guardian(process: process, input: input, server: server)
    }

    /// Makes the user that runs the server the owner of a file or folder.
    fileprivate static func give(_ url: URL) throws {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
        chmod(url.path, isFolder.boolValue ? 0o755 : 0o600)
        guard let user = Command.serverUser, let entry = getpwnam(user) else { return }
        guard chown(url.path, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0 else {
            throw Failure(description: "\(url.path) cannot be given to the user \(user).")
        }
    }
}

extension Command {
    fileprivate static func runAsServerUser(_ program: String, _ arguments: [String]) throws {
        let command = try asServerUser([program] + arguments)
        try run(command[0], Array(command.dropFirst()))
    }
}
