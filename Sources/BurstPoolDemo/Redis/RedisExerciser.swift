// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis

/// Carries out the exercises of one task on Redis.
struct RedisExerciser: Exerciser {
    private(set) var ledger: Ledger
    private let keys: RedisKeys
    private var values: UniqueValues
    private let secondsToLive: Int

    init(task: Int, keys: RedisKeys, values: UniqueValues, secondsToLive: Int) {
        ledger = Ledger(task: task)
        self.keys = keys
        self.values = values
        self.secondsToLive = secondsToLive
    }

    mutating func perform(_ exercise: Exercise, on connection: RedisConnection) async throws -> Int {
        switch exercise {
        case .echo: try await echo(connection)
        case .writeText: try await writeText(connection)
        case .readText: try await readText(connection)
        case .writeBlob: try await writeBlob(connection)
        case .readBlob: try await readBlob(connection)
        case .increment: try await increment(connection)
        case .exchange: try await exchange(connection)
        case .pipeline: return try await pipeline(connection)
        case .transaction: return try await transaction(connection)
        case .refused: return try await refused(connection)
        }
        return 1
    }

    // MARK: - One command

    private mutating func echo(_ connection: RedisConnection) async throws {
        let token = values.text()
        try expect(token, "ECHO", await connection.send("ECHO", token))
    }

    private mutating func writeText(_ connection: RedisConnection) async throws {
        let value = values.text()
        ledger.text.willBecome(value)
        try expectOK("SET", await connection.send("SET", keys.text, value, "EX", secondsToLive))
        ledger.text.became(value)
    }

    private mutating func readText(_ connection: RedisConnection) async throws {
        try readText(await connection.send("GET", keys.text))
    }

    private mutating func writeBlob(_ connection: RedisConnection) async throws {
        let value = values.blob()
        ledger.blob.willBecome(value)
        try expectOK("SET", await connection.send("SET", keys.blob, value, "EX", secondsToLive))
        ledger.blob.became(value)
    }

    private mutating func readBlob(_ connection: RedisConnection) async throws {
        let reply = try await connection.send("GET", keys.blob)
        let expected = ledger.blob.candidates
        let isCorrect = (reply.isNull || reply.bytes != nil) && ledger.blob.read(reply.bytes)
        try expect(isCorrect, "GET \(keys.blob)", reply, brief(expected))
    }

    private mutating func increment(_ connection: RedisConnection) async throws {
        ledger.counter.willIncrement()
        try incremented(await connection.send("INCR", keys.counter))
    }

    private mutating func exchange(_ connection: RedisConnection) async throws {
        let value = values.text()
        var before = ledger.text
        ledger.text.willBecome(value)
        let reply = try await connection.send("GETSET", keys.text, value)
        let isCorrect = (reply.isNull || reply.bytes != nil) && before.read(reply.bytes)
        try expect(isCorrect, "GETSET \(keys.text)", reply, brief(before.candidates))
        ledger.text.became(value)
    }

    // MARK: - Several commands

    private mutating func pipeline(_ connection: RedisConnection) async throws -> Int {
        let (first, last, value) = (values.text(), values.text(), values.text())
        ledger.text.willBecome(value)
        ledger.counter.willIncrement(by: 2)
        let commands = [
            RedisCommand("ECHO", first),
            RedisCommand("SET", keys.text, value, "EX", secondsToLive),
            RedisCommand("INCR", keys.counter),
            RedisCommand("GET", keys.text),
            RedisCommand("INCR", keys.counter),
            RedisCommand("EXPIRE", keys.counter, secondsToLive),
            RedisCommand("STRLEN", keys.text),
            RedisCommand("ECHO", last),
        ]
        let replies = try await connection.pipeline(commands)
        try expectCount(replies, commands.count, "a pipeline")
        try expect(first, "ECHO", replies[0])
        try expectOK("SET", replies[1])
        ledger.text.became(value)
        try incremented(replies[2], pending: 1)
        try readText(replies[3])
        try incremented(replies[4])
        try expect(replies[5] == .integer(1), "EXPIRE", replies[5], "1")
        try expect(replies[6] == .integer(value.count), "STRLEN", replies[6], "\(value.count)")
        try expect(last, "ECHO", replies[7])
        return commands.count
    }

    private mutating func transaction(_ connection: RedisConnection) async throws -> Int {
        ledger.counter.willIncrement()
        let commands = [
            RedisCommand("MULTI"),
            RedisCommand("INCR", keys.counter),
            RedisCommand("GET", keys.text),
            RedisCommand("EXEC"),
        ]
        let replies = try await connection.pipeline(commands)
        try expectCount(replies, commands.count, "a transaction")
        try expectOK("MULTI", replies[0])
        try expect(replies[1] == .simpleString("QUEUED"), "INCR in MULTI", replies[1], "QUEUED")
        try expect(replies[2] == .simpleString("QUEUED"), "GET in MULTI", replies[2], "QUEUED")
        try expect(replies[3].array?.count == 2, "EXEC", replies[3], "two replies")
        let results = replies[3].array ?? []
        try incremented(results[0])
        try readText(results[1])
        return commands.count
    }

    private mutating func refused(_ connection: RedisConnection) async throws -> Int {
        guard ledger.text.exists else {
            try await writeText(connection)
            return 1
        }
        do {
            let reply = try await connection.send("LPUSH", keys.text, values.text())
            try expect(false, "LPUSH \(keys.text)", reply, "the error WRONGTYPE")
        } catch let error as RedisError where error.serverCode == "WRONGTYPE" {
            // The expected error.
        }
        try await echo(connection)
        return 2
    }

    // MARK: - Checks

    private mutating func readText(_ reply: RedisReply) throws {
        let expected = ledger.text.candidates
        let isCorrect = (reply.isNull || reply.bytes != nil) && ledger.text.read(reply.bytes)
        try expect(isCorrect, "GET \(keys.text)", reply, brief(expected))
    }

    private mutating func incremented(_ reply: RedisReply, pending: Int = 0) throws {
        let range = ledger.counter.range
        var isCorrect = false
        if case .integer(let value) = reply { isCorrect = ledger.counter.answered(value, pending: pending) }
        try expect(isCorrect, "INCR \(keys.counter)", reply, "one more than a value in \(range)")
    }

    private func expectOK(_ command: String, _ reply: RedisReply) throws {
        try expect(reply == .simpleString("OK"), command, reply, "OK")
    }

    private func expect(_ bytes: [UInt8], _ command: String, _ reply: RedisReply) throws {
        try expect(reply == .bulkString(bytes), command, reply, brief(bytes))
    }

    private func expectCount(_ replies: [RedisReply], _ count: Int, _ command: String) throws {
        try expect(replies.count == count, command, .array(replies), "\(count) replies")
    }

    /// Checks a reply.
    ///
    /// - Throws: ``WrongReply`` for a wrong reply, or the error in the reply, because a server may legitimately report an
    ///   error such as "out of memory".
    private func expect(
        _ isCorrect: Bool,
        _ command: String,
        _ reply: RedisReply,
        _ expected: @autoclosure () -> String
    ) throws {
        guard !isCorrect else { return }
        if let error = reply.error { throw error }
        throw WrongReply(task: ledger.task, command: command, reply: brief(reply), expected: expected())
    }
}

/// Returns a short description of a reply.
private func brief(_ reply: RedisReply) -> String {
    switch reply {
    case .bulkString(let bytes): brief(bytes)
    default: "\(reply)"
    }
}
