// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import BurstPoolRedisServer
import Foundation
import NIOCore
import Testing

@Suite("Commands", .timeLimit(.minutes(5)))
struct CommandTests {
    @Test("The server answers PING")
    func ping() async throws {
        let connection = try await connect()
        #expect(try await connection.send("PING") == .simpleString("PONG"))
        try await connection.close()
    }

    @Test("GET returns the value of SET, and null for a missing key")
    func setAndGet() async throws {
        let connection = try await connect()
        let key = uniqueKey()
        #expect(try await connection.send("GET", key) == .null)
        #expect(try await connection.send("SET", key, "värde", "EX", 60) == .simpleString("OK"))
        #expect(try await connection.send("GET", key).string == "värde")
        #expect(try await connection.send("DEL", key) == .integer(1))
        try await connection.close()
    }

    @Test(
        "Arguments of every kind arrive unchanged",
        arguments: [
            ("nothing", []), ("a zero", [0]), ("a line end", Array("\r\n".utf8)),
            ("protocol text", Array("$5\r\n*3\r\n".utf8)), ("all bytes", Array(0...255)),
            ("seventy thousand zeros", [UInt8](repeating: 0, count: 70_000)),
        ].map(Bytes.init)
    )
    func binarySafety(_ bytes: Bytes) async throws {
        let value = bytes.value
        let connection = try await connect()
        let key = Array(uniqueKey().utf8) + [0, 13, 10, 255]
        try await connection.send("SET", key, value)
        #expect(try await connection.send("GET", key) == .bulkString(value))
        try await connection.send("SET", ByteBuffer(bytes: key), ByteBuffer(bytes: value))
        #expect(try await connection.send("GET", key[...]) == .bulkString(value))
        #expect(try await connection.send("STRLEN", key).integer == value.count)
        #expect(try await connection.send("DEL", key).integer == 1)
        try await connection.close()
    }

    @Test("Numbers are sent as decimal digits, including the extreme values")
    func numbers() async throws {
        let connection = try await connect()
        func echo(_ argument: any RedisArgument) async throws -> String? {
            try await connection.send("ECHO", argument).string
        }
        #expect(try await echo(Int.min) == "-9223372036854775808")
        #expect(try await echo(UInt64.max) == "18446744073709551615")
        #expect(try await echo(-0.1) == "-0.1")
        #expect(try await echo(-Double.leastNormalMagnitude) == "-2.2250738585072014e-308")
        #expect(try await connection.send("ECHO", Int.max).integer == .max)
        #expect(try await connection.send("ECHO", 2.5).double == 2.5)
        try await connection.close()
    }

    @Test("A value of 64 MiB arrives at the server and comes back unchanged")
    func hugeValue() async throws {
        let connection = try await connect()
        let key = uniqueKey()
        var value = (0..<1024).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 3) }
        while value.count < 64 << 20 { value += value }
        try await connection.send("SET", key, value)
        let reply = try await connection.send("GET", key)
        guard case .bulkString(let bytes) = reply else {
            throw RedisServer.Failure(description: "The reply is not a bulk string.")
        }
        #expect(bytes.count == value.count)
        #expect(bytes.count == value.count && memcmp(bytes, value, value.count) == 0)
        // The connection remains usable.
        #expect(try await connection.send("DEL", key) == .integer(1))
        try await connection.close()
    }

    @Test("Nested arrays arrive with their structure")
    func nestedArrays() async throws {
        let connection = try await connect()
        let script = "return {1, {'two', {3, {}, false}}, redis.status_reply('four'), redis.error_reply('FIVE no')}"
        let reply = try await connection.send("EVAL", script, 0)
        guard case .array(let elements) = reply, elements.count == 4 else {
            Issue.record("The reply is not an array of four elements: \(reply)")
            return
        }
        #expect(elements[0] == .integer(1))
        let inner = RedisReply.array([.integer(3), .array([]), .null])
        #expect(elements[1] == .array([.bulkString(Array("two".utf8)), inner]))
        #expect(elements[2] == .simpleString("four"))
        #expect(elements[3].error?.serverCode == "FIVE")
        // The reply to COMMAND is the most deeply nested one that the server builds itself. It has about 200 KiB.
        #expect(try await connection.send("COMMAND").array?.count ?? 0 > 200)
        #expect(try await connection.send("PING").string == "PONG")
        try await connection.close()
    }

    @Test(
        "A reply that is nested too deeply for the parser is an error that names the limit, and closes the connection"
    )
    func tooDeep() async throws {
        let connection = try await connect()
        let script = "local t = {1}; for i = 1, 12 do t = {t} end; return t"
        let error = await redisError { try await connection.send("EVAL", script, 0) }
        #expect(error?.code == .protocolError)
        #expect(error?.message.contains("nested") == true)
        #expect(error?.message.contains("parser") == true)
        #expect(error?.message.contains("server") == false, "The server is not to blame.")
        #expect(connection.isClosed)
    }

    @Test("A server error is thrown with its code and text, and the connection stays open")
    func serverError() async throws {
        let connection = try await connect()
        let key = uniqueKey()
        try await connection.send("SET", key, "text")
        let wrongType = await redisError { try await connection.send("LPUSH", key, "x") }
        #expect(wrongType?.code == .serverError)
        #expect(wrongType?.serverCode == "WRONGTYPE")
        #expect(wrongType?.message == "WRONGTYPE Operation against a key holding the wrong kind of value")
        let unknown = await redisError { try await connection.send("NOSUCHCOMMAND", "\r\n\0") }
        #expect(unknown?.serverCode == "ERR")
        #expect(try await connection.send("GET", key).string == "text")
        #expect(!connection.isClosed)
        try await connection.close()
    }

    @Test("EXEC returns an array in which a failed command is a value")
    func transaction() async throws {
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        let key = uniqueKey()
        #expect(try await connection.send("MULTI").string == "OK")
        #expect(try await connection.send("SET", key, "text").string == "QUEUED")
        #expect(strategy.connectionIsClosed(connection), "A transaction is open.")
        #expect(try await connection.send("LPUSH", key, "x").string == "QUEUED")
        let reply = try await connection.send("EXEC")
        #expect(reply.array?.first?.string == "OK")
        #expect(reply.array?.last?.error?.serverCode == "WRONGTYPE")
        #expect(!strategy.connectionIsClosed(connection))
        try await connection.close()
    }

    @Test("EXEC returns null if a watched key has changed")
    func conflictingTransaction() async throws {
        let (connection, other) = (try await connect(), try await connect())
        let key = uniqueKey()
        try await connection.send("WATCH", key)
        try await other.send("SET", key, "changed")
        try await connection.send("MULTI")
        try await connection.send("SET", key, "mine")
        #expect(try await connection.send("EXEC").isNull)
        try await connection.close()
        try await other.close()
    }

    @Test(
        "Commands without a name, commands that are too long, and commands without exactly one reply are refused unsent"
    )
    func refusedCommands() async throws {
        let connection = try await connect()
        var nameless = RedisCommand("GET")
        nameless.arguments = []
        #expect(await redisError { try await connection.send(nameless) }?.code == .invalidCommand)

        let long = Array(repeating: UInt8(0), count: (1 << 28) + 1)
        let longError = await redisError { try await connection.send("DEL", long, long, long, long) }
        #expect(longError?.code == .invalidCommand)

        for words in [
            ["SUBSCRIBE", "a"], ["psubscribe", "a"], ["Monitor"], ["CLIENT", "REPLY", "OFF"], ["HELLO", "3"], ["SYNC"],
        ] {
            let command = RedisCommand(words[0], arguments: Array(words[1...]))
            let error = await redisError { try await connection.send(command) }
            #expect(error?.code == .invalidCommand, "\(words)")
            #expect(error?.message.contains(words[0].uppercased()) == true)
        }
        #expect(try await connection.send("PING").string == "PONG")
        try await connection.close()
    }

    @Test("The server answers a command with an empty name with an error")
    func emptyName() async throws {
        let connection = try await connect()
        #expect(await redisError { try await connection.send("") }?.code == .serverError)
        #expect(try await connection.send("PING").string == "PONG")
        try await connection.close()
    }
}

/// Bytes to send, with a name that makes test reports readable.
struct Bytes: CustomTestStringConvertible {
    let testDescription: String
    let value: [UInt8]

    init(_ name: String, _ value: [UInt8]) {
        testDescription = name
        self.value = value
    }
}
