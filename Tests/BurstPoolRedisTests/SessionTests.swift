import BurstPoolRedis
import Testing

@Suite("What a user leaves behind on a connection", .timeLimit(.minutes(5)))
struct SessionTests {
    @Test(
        "a connection that is not as it was is not handed out again",
        arguments: [
            ["MULTI"], ["multi", "SET x 1"], ["WATCH x"], ["SELECT 3"], ["AUTH x"], ["RESET"], ["CLIENT TRACKING ON"],
            ["WATCH x", "MULTI", "UNWATCH"], ["HELLO 2"], ["MULTI", "SELECT 3", "EXEC"],
            // What the server refuses, or carries out later or never, restores nothing.
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
        "a connection that was put back as it was is handed out again",
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

    @Test("a transaction whose end was cancelled before it was sent counts as open")
    func cancelledExec() async throws {
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        try await connection.send("MULTI")
        let lent = Lent(connection: connection)
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await #expect(throws: CancellationError.self) { try await lent.connection.send("EXEC") }
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
