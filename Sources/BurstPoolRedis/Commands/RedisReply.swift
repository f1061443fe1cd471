// SPDX-License-Identifier: Apache-2.0

/// The server's answer to one command.
///
/// The cases are those of version 2 of the Redis protocol. Accessors such as ``string`` and ``integer`` convert a
/// reply, and return `nil` if it is something else.
///
/// An error inside an array, such as the result of a command that failed inside `EXEC`, stays a value in that array.
public enum RedisReply: Sendable, Equatable {
    /// A short text, such as `OK`. Bytes that are not valid UTF-8 are replaced by U+FFFD.
    case simpleString(String)
    /// An error. Its code is always ``RedisError/Code/serverError``.
    case error(RedisError)
    /// A number.
    case integer(Int)
    /// Bytes of any value, up to 512 MiB.
    case bulkString([UInt8])
    /// An array of replies.
    case array([RedisReply])
    /// Nothing: the key or the element does not exist, or a transaction was not executed.
    case null
}

extension RedisReply {
    /// Whether the reply is ``null``.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The text of a simple string, or of a bulk string that is valid UTF-8; otherwise `nil`.
    ///
    /// - Complexity: O(*n*) in the length of a bulk string, which is validated and copied.
    public var string: String? {
        switch self {
        case .simpleString(let text): text
        case .bulkString(let bytes): String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }

    /// The bytes of a bulk string or of a simple string; otherwise `nil`.
    public var bytes: [UInt8]? {
        switch self {
        case .bulkString(let bytes): bytes
        case .simpleString(let text): Array(text.utf8)
        default: nil
        }
    }

    /// The value of an integer, or of a string of decimal digits; otherwise `nil`.
    public var integer: Int? {
        switch self {
        case .integer(let value): value
        case .simpleString, .bulkString: string.flatMap { Int($0) }
        default: nil
        }
    }

    /// The value of an integer, or of a string that is a number; otherwise `nil`.
    ///
    /// Redis sends floating-point numbers as strings.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .simpleString, .bulkString: string.flatMap { Double($0) }
        default: nil
        }
    }

    /// The elements of an array; otherwise `nil`.
    public var array: [RedisReply]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The error, if the reply is one; otherwise `nil`.
    public var error: RedisError? {
        if case .error(let error) = self { error } else { nil }
    }

    /// Returns the reply, or throws it if it is an error.
    ///
    /// For the replies of a pipeline, where errors are values: `try replies[3].get().string`.
    ///
    /// - Throws: The ``RedisError``, with an explanation if it is about cluster mode. Errors inside an array are not
    ///   thrown.
    public func get() throws -> RedisReply {
        if case .error(let error) = self { throw error.explained }
        return self
    }
}
