// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import Testing

@Suite("Sessions that a caller has changed", .timeLimit(.minutes(5)))
struct SessionTests {
    @Test(
        "A connection whose session has changed is not reused",
        arguments: [
            ["MULTI"], ["multi", "SET x 1"], ["WATCH x"], ["SELECT 3"], ["AUTH x"], ["RESET"], ["CLIENT TRACKING ON"],
            ["WATCH x", "MULTI", "UNWATCH"], ["HELLO 2"], ["MULTI", "SELECT 3", "EXEC"],
            // Commands that the server refuses, or executes later or never, restore nothing.
            ["SELECT 5", "MULTI", "SELECT 0", "DISCARD"], ["SELECT 5", "SELECT +0"], ["SELECT 5", "SELECT 0 x"],
            ["MULTI", "DISCARD x"], ["WATCH x", "UNWATCH x"],
            ["CLIENT SETNAME other"], ["CLIENT NO-EVICT ON"], ["SCRIPT DEBUG NO"],
        ]
    )
    func changed(commands: [String]) async throws {
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        for command in commands { _ = try? await connection.send(Self.command(command)) }
        #expect(!connection.isClosed)
        #expect(strategy.connectionIsClosed(connection))
        try await strategy.closeConnection(connection)
    }

    @Test(
        "A connection whose session has been restored is reused",
        arguments: [
            ["MULTI", "SET x 1", "EXEC"], ["MULTI", "DISCARD"], ["WATCH x", "UNWATCH"], ["SELECT 3", "SELECT 2"],
            ["WATCH x", "MULTI", "EXEC"], ["CLIENT ID"], ["SELECT 2"], ["GET select"],
        ]
    )
    func restored(commands: [String]) async throws {
        let strategy = try sharedStrategy { $0.database = 2 }
        let connection = try await strategy.makeConnection()
        for command in commands { try await connection.send(Self.command(command)) }
        #expect(!strategy.connectionIsClosed(connection))
        try await strategy.closeConnection(connection)
    }

    @Test("A transaction whose EXEC was cancelled before it was sent counts as open")
    func cancelledExec() async throws {
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        try await connection.send("MULTI")
        let shared = UncheckedConnection(connection: connection)
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await #expect(throws: CancellationError.self) { try await shared.connection.send("EXEC") }
        }.value
        #expect(!connection.isClosed)
        #expect(strategy.connectionIsClosed(connection))
        try await strategy.closeConnection(connection)
    }

    private static func command(_ line: String) -> RedisCommand {
        let words = line.split(separator: " ")
        return RedisCommand(String(words[0]), arguments: Array(words[1...]))
    }
}
