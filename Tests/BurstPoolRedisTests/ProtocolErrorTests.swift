// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import NIOCore
import Testing

@Suite("Servers that violate the protocol", .timeLimit(.minutes(5)))
struct ProtocolErrorTests {
    @Test(
        "Bytes that are not a reply cause an error with the reason, and close the connection",
        arguments: [
            ("garbage\r\n", "as reply type byte"),
            ("\0\0\0\0", "as reply type byte"),
            (":12x\r\n", "Bad integer value"),
            (":9223372036854775808\r\n", "Bad integer value"),
            ("$-2\r\n", "out of range"),
            ("$x\r\n", "Bad bulk string length"),
            ("$3\r\nabcdef\r\n", "not followed by a line end"),
            ("$9223372036854775807\r\n", "longer than the limit"),
            ("$2000000000000\r\nabc", "longer than the limit"),
            ("$99999999999999999999\r\n", "Bad bulk string length"),
            ("*-2\r\n", "out of range"),
            ("*4294967296\r\n", "out of range"),
            ("*2\r\n:1\r\n?", "as reply type byte"),
            ("%1\r\n+a\r\n+b\r\n", ""),
            (">2\r\n+message\r\n+x\r\n", ""),
            ("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "nested"),
        ]
    )
    func garbage(answer: String, words: String) async throws {
        try await withFakeServer(answering: answer) { strategy, connection in
            let error = await redisError { try await connection.send("GET", "x") }
            #expect(error?.code == .protocolError)
            #expect(error?.message.contains(words) == true || words.isEmpty, "\(error?.message ?? "")")
            #expect(strategy.connectionIsClosed(connection))
            #expect(await redisError { try await connection.send("PING") }?.code == .connectionClosed)
        }
    }

    @Test("An array that announces two billion elements takes no memory before they arrive")
    func hugeArray() async throws {
        try await withFakeServer(answering: "*2147483647\r\n:1\r\n") { strategy, connection in
            let error = await redisError { try await connection.send(RedisCommand("GET", "x"), timeout: .seconds(1)) }
            #expect(error?.code == .commandTimedOut)
            #expect(strategy.connectionIsClosed(connection))
        }
    }

    @Test("Lines that do not end and replies above the limit are refused")
    func endless() async throws {
        let line = "+" + String(repeating: "x", count: 2 << 20)
        try await withFakeServer(answering: line) { _, connection in
            let error = await redisError { try await connection.send("GET", "x") }
            #expect(error?.code == .protocolError)
            #expect(error?.message.contains("a line is longer") == true)
        }
        let array = "*100000\r\n" + String(repeating: "$4\r\nabcd\r\n", count: 50_000)
        try await withFakeServer(answering: array, change: { $0.maximumReplyBytes = 100_000 }) { _, connection in
            let error = await redisError { try await connection.send("GET", "x") }
            #expect(error?.code == .protocolError)
            #expect(error?.message.contains("limit of 100000 bytes") == true)
        }
    }

    @Test("A long error is not mistaken for an endless line")
    func longError() async throws {
        let connection = try await connect()
        let script = "return redis.error_reply('LONG ' .. string.rep('x', 900000))"
        let error = await redisError { try await connection.send("EVAL", script, 0) }
        #expect(error?.serverCode == "LONG")
        #expect(error?.message.utf8.count == 900_005)
        #expect(try await connection.send("PING").string == "PONG")
        try await connection.close()
    }

    @Test("A reply that arrives byte by byte is read correctly")
    func byteByByte() async throws {
        let server = try await FakeServer.start { number, channel in
            if number == 0 {
                channel.send("+PONG\r\n")
            } else {
                channel.sendByteByByte("*4\r\n$5\r\na\r\n\0b\r\n*2\r\n$-1\r\n*-1\r\n-ERR no\r\n:-7\r\n")
            }
        }
        let connection = try await RedisConnectionStrategy(configuration: server.configuration).makeConnection()
        for _ in 0..<2 {
            let reply = try await connection.send("GET", "x")
            guard case .array(let elements) = reply, elements.count == 4 else {
                Issue.record("The reply is not an array of four elements: \(reply)")
                return
            }
            #expect(elements[0] == .bulkString(Array("a\r\n\0b".utf8)))
            #expect(elements[1] == .array([.null, .null]))
            #expect(elements[2].error?.message == "ERR no")
            #expect(elements[3] == .integer(-7))
        }
        try await connection.close()
        try await server.stop()
    }

    @Test("A reply to no command closes the connection, and the error quotes it")
    func unsolicited() async throws {
        try await withFakeServer(answering: "+one\r\n+two\r\n") { strategy, connection in
            let reply = try await connection.send("GET", "x")
            #expect(reply.string == "one")
            let isNoticed = try await eventually { strategy.connectionIsClosed(connection) }
            #expect(isNoticed)
            let error = await redisError { try await connection.send("GET", "x") }
            #expect(error?.code == .connectionClosed)
            #expect((error?.underlyingError as? RedisError)?.code == .protocolError)
            #expect(error?.message.contains("a reply to no command: 'two'") == true)
        }
    }

    @Test("Half a reply ends in the command timeout, or in the error of the closed connection")
    func partial() async throws {
        try await withFakeServer(answering: "$10\r\nabc") { strategy, connection in
            let error = await redisError { try await connection.send(RedisCommand("GET", "x"), timeout: .seconds(0.1)) }
            #expect(error?.code == .commandTimedOut)
            #expect(strategy.connectionIsClosed(connection))
        }
        let server = try await FakeServer.start { number, channel in
            channel.send(number == 0 ? "+PONG\r\n" : "$10\r\nabc")
            if number > 0 { channel.close(promise: nil) }
        }
        let connection = try await RedisConnectionStrategy(configuration: server.configuration).makeConnection()
        #expect(await redisError { try await connection.send("GET", "x") }?.code == .connectionClosed)
        try await server.stop()
    }

    private func withFakeServer(
        answering answer: String,
        change: (inout RedisConfiguration) -> Void = { _ in },
        _ body: (RedisConnectionStrategy, RedisConnection) async throws -> Void
    ) async throws {
        let server = try await FakeServer.answering(answer)
        var configuration = server.configuration
        change(&configuration)
        let strategy = try RedisConnectionStrategy(configuration: configuration)
        let connection = try await strategy.makeConnection()
        try await body(strategy, connection)
        try await strategy.closeConnection(connection)
        try await server.stop()
    }
}
