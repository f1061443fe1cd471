// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import BurstPoolRedisServer
import Testing

@Suite("Servers in cluster mode", .timeLimit(.minutes(5)))
struct ClusterTests {
    @Test("The error of a server in cluster mode names cluster mode")
    func clusterDown() async throws {
        let server = try RedisServer(
            listensOnPort: true,
            arguments: ["--cluster-enabled", "yes", "--cluster-port", "\(RedisServer.freePort())"]
        )
        defer { server.stop() }
        let strategy = try RedisConnectionStrategy(configuration: .init(unixSocketPath: server.socketPath))
        let connection = try await strategy.makeConnection()
        let error = await redisError { try await connection.send("GET", "x") }
        #expect(error?.serverCode == "CLUSTERDOWN")
        #expect(error?.message.contains("cluster mode, which this client does not support") == true)
        #expect(!strategy.connectionIsClosed(connection))
        try await strategy.closeConnection(connection)
    }

    @Test(
        "Redirections are errors that quote the server and name cluster mode",
        arguments: ["MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381"]
    )
    func redirection(answer: String) async throws {
        let server = try await FakeServer.answering("-\(answer)\r\n")
        let connection = try await RedisConnectionStrategy(configuration: server.configuration).makeConnection()
        let error = await redisError { try await connection.send("GET", "x") }
        #expect(error?.code == .serverError)
        #expect(error?.serverCode == answer.split(separator: " ").first.map(String.init))
        #expect(error?.message.hasPrefix("\(answer). The server runs in cluster mode") == true)
        let replies = try await connection.pipeline([RedisCommand("GET", "x")])
        #expect(replies[0].error?.message == answer, "A pipeline returns the server's text.")
        #expect(await redisError { _ = try replies[0].get() }?.message.contains("cluster mode") == true)
        try await connection.close()
        try await server.stop()
    }
}
