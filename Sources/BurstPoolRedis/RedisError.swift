/// Why something to do with Redis failed.
///
/// ``code`` is for programs, ``message`` is for people and says what failed and why, in the words of the server or of the
/// operating system where there are any. ``underlyingError`` is what lay below, if anything did.
///
/// A struct over a hidden enumeration: codes can be added without breaking those who switch over them.
///
/// A cancelled call throws `CancellationError`, never this.
public struct RedisError: Error, Sendable {
    /// The kind of a failure.
    public struct Code: Hashable, Sendable {
        fileprivate enum Base: String, Hashable, Sendable {
            case invalidURL, invalidConfiguration, invalidCommand
            case connectFailed, connectTimedOut, authenticationFailed
            case serverError, commandTimedOut, connectionClosed, protocolError, closeTimedOut
        }

        fileprivate let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// A URL that makes no sense; the message names the part and says what is wrong with it.
        public static let invalidURL = Code(.invalidURL)
        /// A configuration that makes no sense, such as port 0 or a negative timeout.
        public static let invalidConfiguration = Code(.invalidConfiguration)
        /// A command that cannot be sent: it is empty, too long, or breaks the rule of one reply for each command.
        /// Nothing was sent, and the connection is as it was.
        public static let invalidCommand = Code(.invalidCommand)
        /// The connection did not open: no such host, connection refused, a set-up command refused by the server.
        public static let connectFailed = Code(.connectFailed)
        /// The connection did not open, or the server did not answer on it, within the connect timeout.
        public static let connectTimedOut = Code(.connectTimedOut)
        /// The server wants a password that was not given, or refused the one that was.
        public static let authenticationFailed = Code(.authenticationFailed)
        /// The server answered a command with an error. The connection remains usable.
        public static let serverError = Code(.serverError)
        /// A command was not answered within its timeout. The connection is closed.
        public static let commandTimedOut = Code(.commandTimedOut)
        /// The connection is closed. Whether the server executed the commands under way is not known.
        public static let connectionClosed = Code(.connectionClosed)
        /// The server sent what is not Redis's protocol, or what nobody asked for. The connection is closed.
        public static let protocolError = Code(.protocolError)
        /// The connection did not finish closing in time.
        public static let closeTimedOut = Code(.closeTimedOut)
    }

    /// Boxed, so that an error inside a ``RedisReply`` takes one word.
    private final class Storage: Sendable {
        let code: Code
        let message: String
        let underlyingError: (any Error)?

        init(code: Code, message: String, underlyingError: (any Error)?) {
            self.code = code
            self.message = message
            self.underlyingError = underlyingError
        }
    }

    private let storage: Storage

    /// The kind of the failure.
    public var code: Code { storage.code }

    /// What failed and why. For ``Code/serverError``, the server's text, unchanged.
    public var message: String { storage.message }

    /// The error that led to this one, if there is one.
    public var underlyingError: (any Error)? { storage.underlyingError }

    /// The first word of an error that the server answered with, such as `ERR`, `WRONGTYPE` or `NOSCRIPT`; `nil` if
    /// ``code`` is not ``Code/serverError``.
    public var serverCode: String? {
        guard code == .serverError else { return nil }
        return String(message.prefix { $0 != " " })
    }

    init(_ code: Code, _ message: String, underlyingError: (any Error)? = nil) {
        storage = Storage(code: code, message: message, underlyingError: underlyingError)
    }
}

extension RedisError: Equatable {
    /// Compares code and message.
    public static func == (left: RedisError, right: RedisError) -> Bool {
        left.code == right.code && left.message == right.message
    }
}

extension RedisError: CustomStringConvertible {
    public var description: String { "\(code): \(message)" }
}

extension RedisError.Code: CustomStringConvertible {
    public var description: String { base.rawValue }
}
