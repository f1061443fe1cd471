// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import ServerTestSupport
import Testing

extension ServerTests {
    /// The start of the server.
    @Suite("Starting", .timeLimit(.minutes(10)))
    struct StartTests {
        @Test("All invalid settings are reported, and the exit status is EX_CONFIG")
        func wrongSettings() async throws {
            let (status, message) = try await RunningServer.failure(settings: ["PORT": "x", "POOL_MAX_SIZE": "x"])
            #expect(status == EX_CONFIG)
            #expect(message.contains("link-server: PORT is 'x', but must be a whole number."))
            #expect(message.contains("POOL_MAX_SIZE cannot be used"))
            #expect(message.contains("link-server --help"))
        }

        @Test("Contradictory settings of the pool are an invalid configuration as well")
        func contradiction() async throws {
            let (status, message) = try await RunningServer.failure(settings: ["POOL_BURST_LIMIT": "7"])
            #expect(status == EX_CONFIG)
            #expect(message.contains("burstLimit"), "\(message)")
        }

        @Test("A port that is in use is reported")
        func portTaken() async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(on: redis)
                let (status, message) = try await RunningServer.failure(
                    settings: ["PORT": "\(server.port)", "REDIS_URL": redis.url]
                )
                #expect(status == EXIT_FAILURE)
                #expect(message.contains("cannot listen on 127.0.0.1:\(server.port)"))
                #expect(message.contains("Address already in use"))
            }
        }

        @Test("The server starts without Redis and is not ready until Redis starts")
        func withoutRedis() async throws {
            try await PrivateRedis.with { redis in
                await redis.kill()
                let server = try await RunningServer(on: redis)
                #expect(try await status(of: server, "/health") == 200)
                #expect(try await status(of: server, "/ready") == 503)
                try await redis.start()
                #expect(try await status(of: server, "/ready") == 200)
            }
        }

        @Test(
            "The script `serve` starts a database and stops it together with the server",
            arguments: [[], ["--postgres"]]
        )
        func serveScript(options: [String]) async throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
                "serve-\(UInt32.random(in: 0 ... .max))"
            )
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
                "../../serve"
            )
            let port = try await PrivateRedis.with { redis in try await RunningServer(on: redis).port }
            let serve = try await GuardedProcess(
                script.standardizedFileURL.path,
                [RunningServer.executable.path] + options,
                environment: ["PORT": "\(port)", "TMPDIR": folder.path],
                log: folder.appendingPathComponent("log")
            )
            try await eventually("the script prints the address of the page") {
                serve.output.contains("http://127.0.0.1:\(port)/pool")
            }
            let link = try await TestLink.create(port: port, url: "http://example.org/")
            let answer = try await HTTPConnection.with(port: port) { try await $0.send(.get, "/\(link.code)") }
            #expect(answer.status == 302)
            serve.send(SIGTERM)
            #expect(try await serve.status() == 0)
            #expect(serve.output.contains("stopped"))
            #expect(serve.output.contains("POSTGRES_URL=(secret)") == !options.isEmpty)
            // The folder with the socket of the database was next to the log and has been removed.
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["log"])
            await #expect(throws: HTTPConnection.Failure.self) {
                try await HTTPConnection.with(port: port) { try await $0.send(.get, "/health").status }
            }
        }
    }
}
