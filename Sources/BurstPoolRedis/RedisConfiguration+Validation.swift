import NIOCore

extension RedisConfiguration {
    /// Bytes of one reply: hiredis searches its buffer with `int`s, so it must not get near 2³¹.
    static let maximumReplyBytesRange = 1024...2_000_000_000

    /// Checks everything that can be checked without asking a server.
    ///
    /// - Throws: ``RedisError/Code/invalidConfiguration``, naming the value.
    func validate() throws {
        switch endpoint {
        case .tcp(let host, let port):
            guard !host.isEmpty else { throw invalid("the host is empty") }
            guard !host.utf8.contains(0) else { throw invalid("the host contains a zero byte") }
            guard (1...65535).contains(port) else { throw invalid("port \(port) is not between 1 and 65535") }
        case .unixSocket(let path):
            guard !path.isEmpty else { throw invalid("the path of the unix socket is empty") }
            guard !path.utf8.contains(0) else { throw invalid("the path of the unix socket contains a zero byte") }
            do {
                _ = try SocketAddress(unixDomainSocketPath: path)
            } catch {
                throw invalid("the path of the unix socket is too long for this system: \(path)", error)
            }
        }
        guard database >= 0 else { throw invalid("database \(database) is negative") }
        guard connectTimeout > .zero else { throw invalid("connect timeout \(connectTimeout) is not above zero") }
        if let commandTimeout, commandTimeout <= .zero {
            throw invalid("command timeout \(commandTimeout) is not above zero")
        }
        let range = Self.maximumReplyBytesRange
        guard range.contains(maximumReplyBytes) else {
            throw invalid(
                "maximumReplyBytes is \(maximumReplyBytes), not from \(range.lowerBound) to \(range.upperBound)"
            )
        }
    }

    private func invalid(_ message: String, _ underlyingError: (any Error)? = nil) -> RedisError {
        RedisError(.invalidConfiguration, message, underlyingError: underlyingError)
    }

    /// What is sent when a connection opens: each command, and what it is for in an error message.
    ///
    /// Never empty: a connection counts as open only once the server has answered on it.
    var setUpCommands: [(purpose: SetUpPurpose, command: RedisCommand)] {
        var commands: [(purpose: SetUpPurpose, command: RedisCommand)] = []
        if let username {
            commands.append((.authenticate, RedisCommand("AUTH", username, password ?? "")))
        } else if let password {
            commands.append((.authenticate, RedisCommand("AUTH", password)))
        }
        if database != 0 {
            commands.append((.selectDatabase(database), RedisCommand("SELECT", database)))
        }
        if let clientName {
            commands.append((.setClientName(clientName), RedisCommand("CLIENT", "SETNAME", clientName)))
        }
        if commands.isEmpty {
            commands.append((.greet, RedisCommand("PING")))
        }
        return commands
    }
}

/// What a command that is sent when a connection opens is for.
enum SetUpPurpose: Equatable {
    case authenticate, greet
    case selectDatabase(Int)
    case setClientName(String)
}

extension SetUpPurpose {
    /// The error of a connection that could not be set up because the server answered with `refusal`; `nil` if the
    /// connection is usable none the less.
    func failure(for refusal: RedisError) -> RedisError? {
        // A server that is full says so in reply to whatever comes first, and closes.
        let isFull = refusal.message.hasPrefix("ERR max number of clients")
        let words: String
        switch self {
        case .authenticate where isFull:
            words = "the server refused the connection"
        case .authenticate: words = "the server refused the user or the password"
        case .greet where refusal.serverCode == "NOPERM": return nil  // It answered, which is all that was asked.
        case .greet: words = "the server refused the connection"
        case .selectDatabase(let database): words = "the server refused database \(database)"
        case .setClientName(let name): words = "the server refused the client name '\(name)'"
        }
        let isAuthentication = !isFull && (self == .authenticate || refusal.serverCode == "NOAUTH")
        return RedisError(
            isAuthentication ? .authenticationFailed : .connectFailed,
            "\(words): \(refusal.message)",
            underlyingError: refusal
        )
    }
}
