// SPDX-License-Identifier: Apache-2.0

/// The reason why a Redis operation failed.
///
/// Programs look at ``code``. People read ``message``, which says what failed and why, with the words of the server or
/// of the operating system where there are any. ``underlyingError`` is the error that led to this one.
///
/// The codes are static members of a struct, not cases of an enumeration, so that new ones do not break existing
/// `switch` statements.
///
/// A cancelled call throws `CancellationError` instead.
public struct RedisError: Error, Sendable {
    /// The kind of a failure.
    public struct Code: Hashable, Sendable {
        fileprivate enum Base: String, Hashable, Sendable {
            case invalidURL, invalidConfiguration, invalidCommand
            case connectFailed, connectTimedOut, tlsFailed, authenticationFailed
            case serverError, commandTimedOut, connectionClosed, protocolError, closeTimedOut, transactionConflict
        }

        fileprivate let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// A URL is invalid. The message names the part and says what is wrong with it.
        public static let invalidURL = Code(.invalidURL)
        /// A value of the configuration is invalid, such as port 0 or a negative timeout.
        public static let invalidConfiguration = Code(.invalidConfiguration)
        /// A command cannot be sent: it is empty, too long, or the server would not answer it with exactly one reply.
        /// Nothing was sent, and the connection is unchanged.
        public static let invalidCommand = Code(.invalidCommand)
        /// A connection did not open, for example because the host is unknown or refused the connection.
        public static let connectFailed = Code(.connectFailed)
        /// A connection did not open, or the server did not answer on it, within the connect timeout.
        public static let connectTimedOut = Code(.connectTimedOut)
        /// The TLS handshake failed: the server's certificate was rejected, the server rejected this client's
        /// certificate, or the server does not offer TLS at this port.
        public static let tlsFailed = Code(.tlsFailed)
        /// The server refused the user or the password, or it requires a password and none is configured.
        public static let authenticationFailed = Code(.authenticationFailed)
        /// The server answered a command with an error. The connection remains usable.
        public static let serverError = Code(.serverError)
        /// A command was not answered within its timeout. The connection is closed.
        public static let commandTimedOut = Code(.commandTimedOut)
        /// The connection is closed. The server may or may not have executed the commands that were in progress.
        public static let connectionClosed = Code(.connectionClosed)
        /// The server sent bytes that this client cannot interpret, or that answer no command. The connection is
        /// closed.
        public static let protocolError = Code(.protocolError)
        /// A connection did not finish closing in time.
        public static let closeTimedOut = Code(.closeTimedOut)
        /// A transaction was not executed, because a watched key changed during each attempt.
        public static let transactionConflict = Code(.transactionConflict)
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

    /// What failed and why. For ``Code/serverError``, the server's text.
    public var message: String { storage.message }

    /// The error that led to this one, or `nil`.
    public var underlyingError: (any Error)? { storage.underlyingError }

    /// The first word of the server's error, such as `ERR`, `WRONGTYPE` or `NOSCRIPT`; `nil` if ``code`` is not
    /// ``Code/serverError``.
    public var serverCode: String? {
        guard code == .serverError else { return nil }
        return String(message.prefix { $0 != " " })
    }

    init(_ code: Code, _ message: String, underlyingError: (any Error)? = nil) {
        storage = Storage(code: code, message: message, underlyingError: underlyingError)
    }
}

extension RedisError: Equatable {
    /// Compares the code and the message.
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
