// SPDX-License-Identifier: Apache-2.0

/// A Lua script that a server runs.
///
/// ```swift
/// let decrementIfPositive = RedisScript("""
///     local value = tonumber(redis.call('GET', KEYS[1]) or 0)
///     if value < tonumber(ARGV[1]) then return false end
///     return redis.call('DECRBY', KEYS[1], ARGV[1])
///     """)
/// let left = try await connection.evaluate(decrementIfPositive, keys: ["tickets"], arguments: [2])
/// ```
public struct RedisScript: Sendable, Hashable {
    /// The Lua source.
    public let source: String
    /// The SHA-1 digest of the source, by which the server knows the script, in lower-case hexadecimal digits.
    public let digest: String

    /// Creates a script from its Lua source.
    public init(_ source: String) {
        self.source = source
        digest = SHA1.hexadecimal(of: source.utf8)
    }
}

extension RedisConnection {
    /// Runs a script, and sends its source only if the server does not know the script yet.
    ///
    /// Sends `EVALSHA`, and `EVAL` if the server answers with `NOSCRIPT`, as it does after a restart or a failover. To
    /// run a script inside a transaction, send `EVAL` instead: there the fallback is not possible.
    ///
    /// - Parameters:
    ///   - script: The script.
    ///   - keys: The keys that the script uses, `KEYS` in Lua.
    ///   - arguments: Its other arguments, `ARGV` in Lua.
    /// - Throws: As ``send(_:_:)``.
    @discardableResult
    public func evaluate(
        _ script: RedisScript,
        keys: [any RedisArgument] = [],
        arguments: [any RedisArgument] = []
    ) async throws -> RedisReply {
        let parameters: [any RedisArgument] = [keys.count] + keys + arguments
        do {
            return try await send(RedisCommand("EVALSHA", arguments: [script.digest] + parameters))
        } catch let error as RedisError where error.serverCode == "NOSCRIPT" {
            return try await send(RedisCommand("EVAL", arguments: [script.source] + parameters))
        }
    }
}
