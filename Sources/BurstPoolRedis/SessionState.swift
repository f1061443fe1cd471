import NIOCore

/// What the commands sent on a connection have changed about it that its next user would not expect.
///
/// A pool hands one connection to many users in turn. Somebody who leaves a transaction open, or another database
/// selected, would have the next one's commands queued or carried out in the wrong place. This follows what is sent, so
/// that such a connection is not handed out again.
///
/// It errs on the side of caution: a `SELECT` that the server refuses counts, and one that it may refuse, or not carry out
/// because it is part of a transaction, does not bring the connection back to its own database.
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

    /// Whether the next user finds the connection as it was when it opened.
    var isAsOpened: Bool {
        !isInTransaction && !isWatching && !isChangedForGood && database == initialDatabase
    }

    /// Takes note that the commands of the last ``willSend(_:)`` may not have been sent.
    mutating func becomeUncertain() {
        isChangedForGood = true
    }

    /// Takes note of a command that is about to be sent.
    ///
    /// - Throws: ``RedisError/Code/invalidCommand`` for a command that the server does not answer by exactly one reply.
    mutating func willSend(_ words: CommandWords) throws(RedisError) {
        switch words.name {
        case "multi": isInTransaction = true
        case "exec", "discard":
            // With an argument it is refused, and the transaction goes on.
            guard words.count == 1 else { break }
            isInTransaction = false
            isWatching = false
        case "watch": isWatching = true
        case "unwatch": if !isInTransaction, words.count == 1 { isWatching = false }
        case "select":
            if !isInTransaction, words.count == 2, let text = words[1], let number = Int(text), "\(number)" == text {
                database = number
            } else {
                isChangedForGood = true
            }
        case "auth", "reset", "quit", "readonly": isChangedForGood = true
        case "hello":
            guard words[1] == nil || words[1] == "2" else {
                throw .refused("HELLO", "this client speaks version 2 of the protocol only")
            }
            isChangedForGood = true
        case "client":
            switch words[1] {
            case "tracking", "setname", "no-evict", "no-touch": isChangedForGood = true
            default: break
            }
            guard words[1] != "reply" else { throw .refused("CLIENT REPLY", "every command must have its reply") }
        case "script": if words[1] == "debug" { isChangedForGood = true }
        case "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe", "monitor", "sync",
            "psync":
            throw .refused(words.name.uppercased(), "it turns the connection into a stream that no pool can share")
        default: break
        }
    }
}

extension RedisError {
    fileprivate static func refused(_ command: String, _ reason: String) -> RedisError {
        RedisError(.invalidCommand, "\(command) is not for a pooled connection: \(reason)")
    }
}

/// The first arguments of a command, as words in lower case.
struct CommandWords {
    /// The name of the command; empty if it is longer than the names that matter here.
    let name: String

    private let scratch: ByteBuffer
    private let ends: [Int]

    /// Names up to this long fit into a `String` without an allocation.
    private static let maximumBytes = 15

    init(scratch: ByteBuffer, ends: [Int]) {
        self.scratch = scratch
        self.ends = ends
        name = Self.word(scratch, ends, 0) ?? ""
    }

    /// How many words the command has, its name included.
    var count: Int { ends.count }

    /// The argument at an index; `nil` if there is none or it is long.
    subscript(index: Int) -> String? {
        Self.word(scratch, ends, index)
    }

    private static func word(_ scratch: ByteBuffer, _ ends: [Int], _ index: Int) -> String? {
        guard index < ends.count else { return nil }
        let start = index == 0 ? 0 : ends[index - 1]
        guard ends[index] - start <= maximumBytes else { return nil }
        return scratch.getString(at: start, length: ends[index] - start)?.lowercased()
    }
}
