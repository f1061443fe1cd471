// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import BurstPoolRedisServer
import Testing

@Suite("Scripts, transactions and scans", .timeLimit(.minutes(5)))
struct HelperTests {
    // MARK: - Scripts

    @Test(
        "The digest of a script is the one that the server computes",
        arguments: [0, 1, 55, 56, 63, 64, 65, 119, 1000]
    )
    func digest(length: Int) async throws {
        let script = RedisScript(
            "return 1 --" + String(repeating: "ä", count: length / 2) + (length % 2 == 1 ? "x" : "")
        )
        let connection = try await connect()
        #expect(try await connection.send("SCRIPT", "LOAD", script.source).string == script.digest)
        try await connection.close()
    }

    @Test("A script is sent in full only if the server does not know it")
    func evaluate() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        let strategy = try RedisConnectionStrategy(configuration: .init(unixSocketPath: server.socketPath))
        let connection = try await strategy.makeConnection()
        let script = RedisScript("return {KEYS[1], ARGV[1]}")
        for _ in 0..<3 {
            let reply = try await connection.evaluate(script, keys: ["k"], arguments: [7])
            #expect(reply.array?.map(\.string) == ["k", "7"])
        }
        let statistics = try await connection.send("INFO", "commandstats").string ?? ""
        #expect(statistics.contains("cmdstat_evalsha:calls=3,"))
        #expect(statistics.contains("cmdstat_eval:calls=1,"))
        let failing = RedisScript("return redis.error_reply('CUSTOM no')")
        #expect(await redisError { try await connection.evaluate(failing) }?.serverCode == "CUSTOM")
        try await connection.close()
    }

    // MARK: - Transactions

    @Test("A transaction executes its commands together and returns their replies")
    func transaction() async throws {
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        let key = uniqueKey()
        let replies = try await connection.transaction([
            RedisCommand("SET", key, 1), RedisCommand("LPUSH", key, 2), RedisCommand("INCR", key),
        ])
        #expect(replies.count == 3)
        #expect(replies[0].string == "OK" && replies[1].error?.serverCode == "WRONGTYPE" && replies[2].integer == 2)
        #expect(try await connection.transaction([]).isEmpty)
        #expect(!strategy.connectionIsClosed(connection))

        let refused = await redisError {
            _ = try await connection.transaction([RedisCommand("SET", key, 9), RedisCommand("NONSENSE")])
        }
        #expect(refused?.message.contains("unknown command") == true)
        #expect(try await connection.send("GET", key).integer == 2)
        let nested = await redisError { _ = try await connection.transaction([RedisCommand("exec")]) }
        #expect(nested?.code == .invalidCommand)
        #expect(!strategy.connectionIsClosed(connection))
        try await connection.close()
    }

    @Test("Transactions that watch a key lose no update of 8 concurrent tasks")
    func watchingTransactions() async throws {
        let strategy = try sharedStrategy()
        let key = uniqueKey()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let connection = try await strategy.makeConnection()
                    for _ in 0..<25 {
                        let replies = try await connection.transaction(watching: [key], maximumAttempts: 1000) {
                            let value = try await $0.send("GET", key).integer ?? 0
                            return [RedisCommand("SET", key, value + 1)]
                        }
                        #expect(replies == [.simpleString("OK")])
                    }
                    #expect(!strategy.connectionIsClosed(connection))
                    try await connection.close()
                }
            }
            try await group.waitForAll()
        }
        let connection = try await strategy.makeConnection()
        #expect(try await connection.send("GET", key).integer == 200)
        try await connection.close()
    }

    @Test("A transaction whose key changes each time fails after the last attempt")
    func conflict() async throws {
        let strategy = try sharedStrategy()
        let (connection, other) = (try await strategy.makeConnection(), try await strategy.makeConnection())
        let key = uniqueKey()
        let attempts = Counter()
        let error = await redisError {
            _ = try await connection.transaction(watching: [key], maximumAttempts: 3) { _ in
                attempts.add(1)
                try await other.send("INCR", key)
                return [RedisCommand("SET", key, "mine")]
            }
        }
        #expect(error?.code == .transactionConflict)
        #expect(error?.message.contains("3 attempts") == true)
        #expect(attempts.value == 3)
        #expect(!strategy.connectionIsClosed(connection))
        try await connection.close()
        try await other.close()
    }

    @Test("A body that throws or returns no commands ends the watch")
    func abandoned() async throws {
        struct Stop: Error {}
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        await #expect(throws: Stop.self) {
            _ = try await connection.transaction(watching: ["x"]) { _ in throw Stop() }
        }
        #expect(!strategy.connectionIsClosed(connection))
        #expect(try await connection.transaction(watching: ["x"]) { _ in [] }.isEmpty)
        #expect(!strategy.connectionIsClosed(connection))
        try await connection.close()
    }

    // MARK: - Scans

    @Test("A scan returns each key that matches, whatever the size of the portions", arguments: [nil, 1, 1000])
    func scan(count: Int?) async throws {
        let connection = try await connect()
        let prefix = uniqueKey()
        let names = Set((0..<300).map { "\(prefix):\($0)" })
        _ = try await connection.pipeline(names.map { RedisCommand("SET", $0, 1) })
        var found: Set<String> = []
        for try await key in connection.scan(matching: "\(prefix):*", count: count) {
            found.insert(key.string ?? "")
            // The connection may be used for other commands between two keys.
            if found.count == 5 { try await connection.send("PING") }
        }
        #expect(found == names)
        var hashes = connection.scan(matching: "\(prefix):*", type: "hash").makeAsyncIterator()
        #expect(try await hashes.next() == nil)
        #expect(try await hashes.next() == nil)
        try await connection.close()
    }

    @Test("Scans of sets, hashes and sorted sets return their elements")
    func scanCollections() async throws {
        let connection = try await connect()
        let (set, hash, sorted) = (uniqueKey("set"), uniqueKey("hash"), uniqueKey("sorted"))
        _ = try await connection.pipeline(
            (0..<200).flatMap { number in
                [
                    RedisCommand("SADD", set, number), RedisCommand("HSET", hash, "f\(number)", number),
                    RedisCommand("ZADD", sorted, number, "m\(number)"),
                ]
            }
        )
        var members: Set<Int> = []
        for try await member in connection.scan(.set(set)) { members.insert(member.integer ?? -1) }
        #expect(members == Set(0..<200))
        for (target, prefix) in [(RedisScanTarget.hash(hash), "f"), (.sortedSet(sorted), "m")] {
            var pairs: [String: Int] = [:]
            for try await pair in connection.scan(target, count: 7) {
                pairs[pair.array?.first?.string ?? ""] = pair.array?.last?.integer
            }
            #expect(pairs == Dictionary(uniqueKeysWithValues: (0..<200).map { ("\(prefix)\($0)", $0) }))
        }
        let error = await redisError { for try await _ in connection.scan(.set(hash)) {} }
        #expect(error?.serverCode == "WRONGTYPE")
        try await connection.close()
    }
}
