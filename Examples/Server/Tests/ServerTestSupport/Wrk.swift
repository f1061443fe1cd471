// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A load by wrk, an independent program that counts its responses.
public struct Wrk: Sendable {
    /// The number of complete responses.
    public let answers: Int
    /// The number of responses that are neither a success nor a redirection.
    public let failures: Int
    /// The numbers of connections that could not be opened, ended early, or timed out.
    public let errors: SocketErrors

    public struct SocketErrors: Sendable, Equatable {
        public var connect = 0
        public var read = 0
        public var write = 0
        public var timeout = 0

        public init() {}
    }

    /// Runs wrk, and a body at the same time.
    ///
    /// - Parameter seconds: The duration of the load.
    public static func run(
        connections: Int,
        seconds: Int,
        url: String,
        during body: @Sendable () async throws -> Void = {}
    ) async throws -> Wrk {
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("wrk-\(UInt32.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: log) }
        let process = try await GuardedProcess(
            "/usr/bin/env",
            ["wrk", "-t", "2", "-c", "\(connections)", "-d", "\(seconds)s", "--timeout", "60s", url],
            log: log
        )
        try await body()
        let status = try await process.status()
        guard status == 0, let wrk = Wrk(process.output) else {
            throw GuardedProcess.Failure("wrk ended with \(status), and said: \(process.output)")
        }
        return wrk
    }

    private init?(_ text: String) {
        guard let answers = text.firstMatch(of: #/(\d+) requests in/#).flatMap({ Int($0.1) }) else { return nil }
        self.answers = answers
        failures = text.firstMatch(of: #/Non-2xx or 3xx responses: (\d+)/#).flatMap { Int($0.1) } ?? 0
        var errors = SocketErrors()
        if let match = text.firstMatch(of: #/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/#) {
            errors.connect = Int(match.1) ?? 0
            errors.read = Int(match.2) ?? 0
            errors.write = Int(match.3) ?? 0
            errors.timeout = Int(match.4) ?? 0
        }
        self.errors = errors
    }
}
