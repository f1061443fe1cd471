// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis

/// Commands with replies that no other visitor can expect.
struct RedisVisit: Sendable {
    enum Use: CaseIterable, Sendable {
        /// `ECHO` of a value that no other visitor sends.
        case echo
        /// `SET` and `GET` of a key that no other visitor writes.
        case keep
        /// The same with some ten kilobytes.
        case keepMuch
        /// `GET` of a value that another visitor has stored under its name.
        case readNeighbour
        /// Several commands in one write.
        case pipeline
        /// `MULTI` … `EXEC`.
        case transaction
        /// A command that the server rejects, on a connection that stays usable.
        case refused
        /// A command that is answered too late.
        case slow
        /// A transaction that is left open. No caller may get that connection afterwards.
        case leaveOpen
    }

    let visit: Visit
    let use: Use

    private var size: Int { visit.size }

    /// - Returns: The number of replies, all of which were right.
    /// - Throws: ``Visit/WrongReply``, ``Visit/SpoiledReply``, and the errors of the connection.
    func perform(on connection: RedisConnection) async throws -> Int {
        switch use {
        case .echo: try await echo(connection, "echo")
        case .keep: return try await keep(connection, padding: size)
        case .keepMuch: return try await keep(connection, padding: size * 256)
        case .readNeighbour: try await readNeighbour(connection)
        case .pipeline: return try await pipeline(connection)
        case .transaction: return try await transaction(connection)
        case .refused: return try await refused(connection)
        case .slow: try await slow(connection)
        case .leaveOpen:
            try expect(.simpleString("OK"), "MULTI", await connection.send("MULTI"))
            try expect(.simpleString("QUEUED"), "ECHO", await connection.send("ECHO", "left"))
            return 2
        }
        return 1
    }

    private func token(_ part: String, padding: Int = 0) -> Token { visit.token(part, padding: padding) }

    private func echo(_ connection: RedisConnection, _ part: String) async throws {
        let token = token(part)
        try expect(token, "ECHO", await connection.send("ECHO", token.bytes))
    }

    /// Uses a key of this visit alone, so that a command that was cancelled or delayed cannot change it later, and a
    /// name of the visitor.
    private func keep(_ connection: RedisConnection, padding: Int) async throws -> Int {
        let (value, name) = (token("keep", padding: padding), token("name"))
        let key = visit.name
        try expect(.simpleString("OK"), "SET", await connection.send("SET", key, value.bytes, "EX", 60))
        try expect(
            .simpleString("OK"),
            "SET",
            await connection.send("SET", "\(visit.life).\(visit.visitor)", name.bytes, "EX", 600)
        )
        // The same connection, and therefore the same server, which has not been restarted meanwhile.
        try expect(value, "GET", await connection.send("GET", key))
        try expect(.integer(1), "DEL", await connection.send("DEL", key))
        return 4
    }

    private func readNeighbour(_ connection: RedisConnection) async throws {
        let reply = try await connection.send("GET", "\(visit.life).\(visit.neighbour)")
        guard reply != .null else { return }
        guard case .bulkString(let bytes) = reply else { throw wrong("GET", reply, "a name") }
        try visit.checkNameOfNeighbour(bytes, "GET")
    }

    private func pipeline(_ connection: RedisConnection) async throws -> Int {
        let tokens = (0...1 + size % 12).map { token("pipeline\($0)", padding: $0 * 40) }
        let replies = try await connection.pipeline(tokens.map { RedisCommand("ECHO", $0.bytes) })
        guard replies.count == tokens.count else {
            throw wrong("a pipeline", .array(replies), "\(tokens.count) replies")
        }
        for (token, reply) in zip(tokens, replies) { try expect(token, "ECHO in a pipeline", reply) }
        return replies.count
    }

    private func transaction(_ connection: RedisConnection) async throws -> Int {
        let (first, last) = (token("first"), token("last"))
        let replies = try await connection.pipeline([
            RedisCommand("MULTI"), RedisCommand("ECHO", first.bytes), RedisCommand("ECHO", last.bytes),
            RedisCommand("EXEC"),
        ])
        guard replies.count == 4 else { throw wrong("a transaction", .array(replies), "4 replies") }
        try expect(.simpleString("OK"), "MULTI", replies[0])
        try expect(.simpleString("QUEUED"), "ECHO in a transaction", replies[1])
        try expect(.simpleString("QUEUED"), "ECHO in a transaction", replies[2])
        try failIfServerError(replies[3])
        guard let results = replies[3].array, results.count == 2 else { throw wrong("EXEC", replies[3], "2 replies") }
        try expect(first, "ECHO in a transaction", results[0])
        try expect(last, "ECHO in a transaction", results[1])
        return replies.count
    }

    private func refused(_ connection: RedisConnection) async throws -> Int {
        let key = visit.name
        try expect(.simpleString("OK"), "SET", await connection.send("SET", key, token("refused").bytes, "EX", 60))
        do {
            throw wrong("LPUSH", try await connection.send("LPUSH", key, "x"), "WRONGTYPE")
        } catch let error as RedisError where error.serverCode == "WRONGTYPE" {
            // This is expected.
        }
        try await echo(connection, "after")
        return 3
    }

    private func slow(_ connection: RedisConnection) async throws {
        let reply = try await connection.send(
            RedisCommand("BLPOP", "nothing", "1"),
            timeout: .milliseconds(1 + size)
        )
        // If the clock leaps forward, the reply may be there before the timeout is noticed.
        try expect(.null, "BLPOP", reply)
    }

    // MARK: - Checking

    private func expect(_ token: Token, _ command: String, _ reply: RedisReply) throws {
        if case .bulkString(let bytes) = reply { return try visit.check(bytes, are: token, command) }
        try failIfServerError(reply)
        throw wrong(command, reply, String(decoding: token.bytes.prefix(80), as: UTF8.self))
    }

    private func expect(_ expected: RedisReply, _ command: String, _ reply: RedisReply) throws {
        guard reply != expected else { return }
        try failIfServerError(reply)
        throw wrong(command, reply, "\(expected)")
    }

    /// In a pipeline, errors are replies. Other checks decide whether the server had a reason for this one.
    private func failIfServerError(_ reply: RedisReply) throws {
        if let error = reply.error { throw error }
    }

    private func wrong(_ command: String, _ reply: RedisReply, _ expected: String) -> Visit.WrongReply {
        visit.wrong(command, "\(reply)", expected)
    }
}
