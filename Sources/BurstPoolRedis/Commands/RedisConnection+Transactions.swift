// SPDX-License-Identifier: Apache-2.0

extension RedisConnection {
    /// Executes several commands as a transaction: all of them, without commands of other clients between them.
    ///
    /// Sends `MULTI`, the commands and `EXEC` in one round trip.
    ///
    /// - Returns: One reply for each command, in order. A command that failed during execution has
    ///   ``RedisReply/error(_:)`` in its place; the others have been executed nevertheless, because Redis does not roll
    ///   back.
    /// - Throws: ``RedisError``. If the server refuses one of the commands before execution, the error is that
    ///   command's, and nothing has been executed. ``RedisError/Code/transactionConflict`` if a key that was watched
    ///   before has changed.
    public func transaction(_ commands: [RedisCommand]) async throws -> [RedisReply] {
        guard let replies = try await execute(commands) else { throw Self.conflict(attempts: 1) }
        return replies
    }

    /// Reads keys and executes a transaction that depends on them, and repeats both if one of the keys has changed in
    /// between.
    ///
    /// ```swift
    /// try await connection.transaction(watching: ["balance"]) { connection in
    ///     let balance = try await connection.send("GET", "balance").integer ?? 0
    ///     return [RedisCommand("SET", "balance", balance + 10)]
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - keys: The keys to watch. At least one.
    ///   - maximumAttempts: How often the body runs at most. At least 1. Default: 10.
    ///   - body: Reads what it needs, and returns the commands of the transaction; no commands end the transaction
    ///     without executing anything. It may run several times.
    /// - Returns: One reply for each command, in order.
    /// - Throws: The error of the body, after which the keys are no longer watched;
    ///   ``RedisError/Code/transactionConflict`` if a key has changed during each attempt; otherwise as
    ///   ``transaction(_:)``.
    public func transaction(
        watching keys: [any RedisArgument],
        maximumAttempts: Int = 10,
        _ body: (RedisConnection) async throws -> [RedisCommand]
    ) async throws -> [RedisReply] {
        guard !keys.isEmpty else { throw RedisError(.invalidCommand, "A watching transaction needs at least one key.") }
        guard maximumAttempts >= 1 else {
            throw RedisError(.invalidCommand, "maximumAttempts is \(maximumAttempts), which is less than 1.")
        }
        for _ in 0..<maximumAttempts {
            try await send(RedisCommand("WATCH", arguments: keys))
            let commands: [RedisCommand]
            do {
                commands = try await body(self)
            } catch {
                // If this fails too, the connection is closed, or a pool will not reuse it.
                _ = try? await send("UNWATCH")
                throw error
            }
            guard !commands.isEmpty else {
                try await send("UNWATCH")
                return []
            }
            if let replies = try await execute(commands) { return replies }
        }
        throw Self.conflict(attempts: maximumAttempts)
    }

    /// Executes a transaction.
    ///
    /// - Returns: The replies; `nil` if a watched key has changed.
    private func execute(_ commands: [RedisCommand]) async throws -> [RedisReply]? {
        guard !commands.isEmpty else { return [] }
        for command in commands where ["MULTI", "EXEC", "DISCARD", "WATCH"].contains(command.name) {
            throw RedisError(.invalidCommand, "\(command.name) cannot be a command of a transaction.")
        }
        let replies = try await pipeline([RedisCommand("MULTI")] + commands + [RedisCommand("EXEC")])
        for reply in replies.dropLast() { _ = try reply.get() }
        let result = try replies[replies.count - 1].get()
        if result.isNull { return nil }
        guard let results = result.array, results.count == commands.count else {
            throw RedisError(.protocolError, "The server answered EXEC with \(result.summary).")
        }
        return results
    }

    private static func conflict(attempts: Int) -> RedisError {
        let what =
            attempts == 1 ? "A watched key changed." : "A watched key changed during each of \(attempts) attempts."
        return RedisError(.transactionConflict, "The transaction was not executed. \(what)")
    }
}
