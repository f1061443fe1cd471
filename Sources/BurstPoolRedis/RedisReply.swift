/// What the server answered to one command.
///
/// The names are those of Redis's protocol, version 2. Convenient accessors, such as ``string`` and ``integer``, turn a
/// reply into what one wants, or into `nil` if it is something else.
///
/// An error nested in an array, such as a command that failed inside `EXEC`, remains a value in that array.
public enum RedisReply: Sendable, Equatable {
    /// A short text, such as `OK`. Bytes that are not UTF-8 are replaced by U+FFFD.
    case simpleString(String)
    /// An error of the server; its code is always ``RedisError/Code/serverError``.
    case error(RedisError)
    /// A number.
    case integer(Int)
    /// Bytes, of any value and up to 512 MiB.
    case bulkString([UInt8])
    /// An array, of any replies.
    case array([RedisReply])
    /// Nothing: no such key, no such element, a transaction that was not carried out.
    case null
}

extension RedisReply {
    /// Whether the reply is ``null``.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The text of a simple string, or of a bulk string that is valid UTF-8; otherwise `nil`.
    ///
    /// - Complexity: O(*n*) in the length of a bulk string, which is checked and copied.
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

    /// The value of an integer, or of a string that is one in decimal digits; otherwise `nil`.
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

    /// The error that the reply is; otherwise `nil`.
    public var error: RedisError? {
        if case .error(let error) = self { error } else { nil }
    }

    /// The reply itself, unless it is an error.
    ///
    /// For the replies of a pipeline, where errors are values: `try replies[3].get().string`.
    ///
    /// - Throws: The ``RedisError`` that the reply is. Errors nested in an array are not thrown.
    public func get() throws -> RedisReply {
        if case .error(let error) = self { throw error }
        return self
    }
}
