// SPDX-License-Identifier: Apache-2.0

/// What the commands sent on a connection have changed about its session.
///
/// A pool gives one connection to many callers in turn. If a caller leaves a transaction open or another database
/// selected, the next caller's commands would be queued, or executed in the wrong database. The session state follows
/// the commands, so that such a connection is not handed out again.
///
/// In doubt a connection counts as changed: a `SELECT` that the server refuses counts, and one that is part of a
/// transaction does not bring the connection back to its own database.
struct SessionState: Equatable {
    /// The database of a connection that has just opened.
    private let initialDatabase: Int
    private var database: Int
    private var isInTransaction = false
    private var isWatching = false
    private var isChangedForGood = false

    init(database: Int) {
        initialDatabase = database
        self.database = database
    }

    /// Whether the next caller finds the connection as it was when it opened.
    var isUnchanged: Bool {
        !isInTransaction && !isWatching && !isChangedForGood && database == initialDatabase
    }

    /// Whether a transaction is open or keys are watched.
    var isInUseByTransaction: Bool { isInTransaction || isWatching }

    /// Records that the session has changed for good, because it is not known whether the last commands were executed.
    mutating func becomeUncertain() {
        isChangedForGood = true
    }

    /// Records a command that is about to be sent.
    ///
    /// - Returns: Whether the command restores a part of the session if the server executes it. An error in its reply
    ///   means that it did not.
    /// - Throws: ``RedisError/Code/invalidCommand`` for a command that the server does not answer with exactly one
    ///   reply.
    mutating func willSend(_ words: CommandWords) throws(RedisError) -> Bool {
        switch words.name {
        case "multi": isInTransaction = true
        case "exec", "discard":
            // The server refuses these commands if they have arguments, and the transaction stays open.
            guard words.count == 1 else { break }
            isInTransaction = false
            isWatching = false
            return true
        case "watch": isWatching = true
        case "unwatch":
            guard !isInTransaction, words.count == 1 else { break }
            isWatching = false
            return true
        case "select":
            if !isInTransaction, words.count == 2, let text = words[1], let number = Int(text), "\(number)" == text {
                database = number
                return true
            }
            isChangedForGood = true
        case "auth", "reset", "quit", "readonly": isChangedForGood = true
        case "hello":
            guard words[1] == nil || words[1] == "2" else {
                throw .refused("HELLO", "This client uses version 2 of the protocol.")
            }
            isChangedForGood = true
        case "client":
            switch words[1] {
            case "tracking", "setname", "no-evict", "no-touch": isChangedForGood = true
            default: break
            }
            guard words[1] != "reply" else { throw .refused("CLIENT REPLY", "Every command must get a reply.") }
        case "script": if words[1] == "debug" { isChangedForGood = true }
        case "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe":
            throw .refused(words.name.uppercased(), "Use the method subscribe(to:patterns:) for messages.")
        case "monitor", "sync", "psync":
            throw .refused(words.name.uppercased(), "It turns the connection into a stream without replies.")
        default: break
        }
        return false
    }
}

extension RedisError {
    fileprivate static func refused(_ command: String, _ reason: String) -> RedisError {
        RedisError(.invalidCommand, "\(command) cannot be sent as a command. \(reason)")
    }
}
