// SPDX-License-Identifier: Apache-2.0

/// A command that is sent when a connection opens.
enum SetUpCommand: Equatable {
    case authenticate(RedisCredentials)
    case selectDatabase(Int)
    case setClientName(String)
    case ping

    /// The commands that a connection starts with.
    ///
    /// All are sent at once, so they cost one round trip. `PING` is always among them: it shows whether the server is
    /// ready.
    static func all(for configuration: RedisConfiguration, credentials: RedisCredentials?) -> [SetUpCommand] {
        var commands: [SetUpCommand] = []
        if let credentials { commands.append(.authenticate(credentials)) }
        if configuration.database != 0 { commands.append(.selectDatabase(configuration.database)) }
        if let name = configuration.clientName { commands.append(.setClientName(name)) }
        commands.append(.ping)
        return commands
    }

    var command: RedisCommand {
        switch self {
        case .authenticate(let credentials):
            if let username = credentials.username {
                RedisCommand("AUTH", username, credentials.password)
            } else {
                RedisCommand("AUTH", credentials.password)
            }
        case .selectDatabase(let number): RedisCommand("SELECT", number)
        case .setClientName(let name): RedisCommand("CLIENT", "SETNAME", name)
        case .ping: RedisCommand("PING")
        }
    }

    /// The error of a connection on which this command got this reply; `nil` if the connection is usable.
    func failure(for reply: RedisReply, from endpoint: RedisConfiguration.Endpoint) -> RedisError? {
        guard let refusal = reply.error else {
            guard case .ping = self, reply.string != "PONG" else { return nil }
            let message = "\(endpoint) answered PING with \(reply.summary). Check that a Redis server listens there."
            return RedisError(.connectFailed, message)
        }
        func failure(_ code: RedisError.Code, _ text: String, _ advice: String) -> RedisError {
            let answer = "The server answered: \(refusal.message.prefix(200))"
            let message = "\(text). \(answer)\(answer.hasSuffix(".") ? "" : ".")\(advice.isEmpty ? "" : " ")\(advice)"
            return RedisError(code, message, underlyingError: refusal)
        }
        // A server that is full says so in reply to the first command, whichever it is, and closes the connection.
        if refusal.isFromFullServer {
            return failure(
                .connectFailed,
                "\(endpoint) has no room for another connection",
                "Raise its maxclients, lower the pool's limits, or set connectRetry to let callers wait for room."
            )
        }
        switch refusal.serverCode {
        case "NOAUTH":
            let advice = "Set the password, and the user name if the server needs one."
            return failure(.authenticationFailed, "\(endpoint) requires a password", advice)
        case "DENIED":
            let text = "\(endpoint) is in protected mode and accepts connections from its own machine only"
            return failure(.connectFailed, text, "")
        case "LOADING", "MASTERDOWN":
            return failure(.connectFailed, "\(endpoint) is not ready", "")
        default: break
        }
        switch self {
        case .authenticate where refusal.isAboutAuthentication:
            return failure(.authenticationFailed, "\(endpoint) refused the user name or the password", "")
        case .authenticate:
            return failure(.connectFailed, "\(endpoint) did not authenticate the connection", "")
        case .selectDatabase(let database):
            let advice = "Check the number, and that the user may use SELECT."
            return failure(.connectFailed, "\(endpoint) refused database \(database)", advice)
        // The name is for people who look at the server. A user who may not set it can do everything else.
        case .setClientName: return nil
        // The server answered, so it is alive. The user may lack the right to send PING, for example.
        case .ping: return nil
        }
    }
}

extension RedisError {
    /// Whether a refusal of `AUTH` is about the user and the password, and not about the state of the server or a
    /// proxy.
    fileprivate var isAboutAuthentication: Bool {
        switch serverCode {
        case "WRONGPASS", "NOPERM": true
        // Before Redis 6: "ERR invalid password", "ERR Client sent AUTH, but no password is set", "ERR wrong number of
        // arguments for 'auth' command". Later: "ERR AUTH <password> called without any password…".
        case "ERR": message.contains("password") || message.contains("'auth'")
        default: false
        }
    }
}

extension RedisReply {
    /// The reply for an error message, shortened.
    var summary: String {
        switch self {
        case .simpleString(let text): "'\(text.prefix(60))'"
        case .error(let error): "'\(error.message.prefix(60))'"
        case .bulkString: string.map { "'\($0.prefix(60))'" } ?? "bytes"
        case .integer(let number): "the number \(number)"
        case .array(let elements): "an array of \(elements.count) elements"
        case .null: "null"
        }
    }
}
