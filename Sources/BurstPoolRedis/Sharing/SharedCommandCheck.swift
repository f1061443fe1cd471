// SPDX-License-Identifier: Apache-2.0

/// Refuses the commands that would affect other callers of a shared connection: those that change its session, and those that
/// block it.
enum SharedCommandCheck {
    /// - Throws: ``RedisError/Code/invalidCommand``, with a message that names the exclusive pool.
    static func check(_ command: RedisCommand) throws(RedisError) {
        let name = command.name
        if changesSession.contains(name) {
            throw refused(name, "It changes the state of the connection, which other callers use at the same time.")
        }
        if blocks.contains(name) {
            throw refused(name, "It blocks the connection, and with it all other callers that use it at the same time.")
        }
        switch name {
        case "":
            throw RedisError(.invalidCommand, "The name of a command on a shared connection must be a text.")
        case "XREAD", "XREADGROUP":
            // The options come before STREAMS, and the keys after it.
            for argument in command.arguments.dropFirst() {
                guard let word = text(argument) else { continue }
                if word == "STREAMS" { break }
                if word == "BLOCK" {
                    throw refused("\(name) with BLOCK", "It blocks all other callers that use the connection.")
                }
            }
        case "CLIENT":
            let subcommand = command.arguments.count > 1 ? text(command.arguments[1]) ?? "" : ""
            guard harmlessClientSubcommands.contains(subcommand) else {
                throw refused("CLIENT \(subcommand)", "It may change the connection, which other callers use.")
            }
        case "SCRIPT":
            if command.arguments.count > 1, text(command.arguments[1]) == "DEBUG" {
                throw refused("SCRIPT DEBUG", "It changes the state of the connection.")
            }
        default: break
        }
    }

    private static let changesSession: Set<String> = [
        "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH", "SELECT", "AUTH", "HELLO", "RESET", "QUIT", "READONLY",
        "READWRITE",
        "ASKING", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "MONITOR",
        "SYNC",
        "PSYNC", "REPLCONF",
    ]

    private static let blocks: Set<String> = [
        "BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "WAIT", "WAITAOF",
        "MIGRATE",
        "DEBUG", "SHUTDOWN", "FAILOVER",
    ]

    private static let harmlessClientSubcommands: Set<String> = [
        "ID", "INFO", "LIST", "GETNAME", "GETREDIR", "TRACKINGINFO", "KILL", "UNBLOCK", "HELP",
    ]

    private static func text(_ argument: any RedisArgument) -> String? {
        switch argument {
        case let text as String: text.uppercased()
        case let text as Substring: text.uppercased()
        default: nil
        }
    }

    private static func refused(_ command: String, _ reason: String) -> RedisError {
        let advice = "Use an exclusive connection for it: a ConnectionPool with a RedisConnectionStrategy."
        return RedisError(.invalidCommand, "\(command) cannot be sent on a shared connection. \(reason) \(advice)")
    }
}
