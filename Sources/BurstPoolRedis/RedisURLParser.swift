import NIOCore

/// Reads a ``RedisConfiguration`` out of a URL. What is understood is documented at ``RedisConfiguration/init(url:)``.
///
/// Messages name the part that is wrong. They quote it only where it cannot be a piece of a password.
struct RedisURLParser {
    private typealias Text = Substring.UTF8View

    private var database: Int?
    private var username: String?
    private var password: String?
    private var options = RedisURLOptions()

    /// - Throws: ``RedisError/Code/invalidURL``.
    static func parse(_ url: String) throws(RedisError) -> RedisConfiguration {
        var parser = RedisURLParser()
        return try parser.configuration(of: url)
    }

    private mutating func configuration(of url: String) throws(RedisError) -> RedisConfiguration {
        let (scheme, afterScheme) = try Self.splitScheme(url)
        let (hierarchy, query) = Self.split(afterScheme, at: "?")
        let (authority, path) = Self.splitPath(hierarchy)
        let (userInfo, location) = Self.splitUserInfo(authority)

        // An `@` after the authority: somebody's password has a `/` or a `?` in it. Quote nothing.
        let at = UInt8(ascii: "@")
        guard scheme == .unixSocket || !(path.contains(at) || query?.contains(at) == true) else {
            throw .invalidURL(
                "user and password",
                "there is a '@' after the first '/' or '?'; write '/' as %2F, '?' as %3F and '@' as %40"
            )
        }
        if let userInfo { try readUserInfo(userInfo) }

        var configuration: RedisConfiguration
        switch scheme {
        case .tcp:
            let (host, port) = try Self.hostAndPort(location)
            configuration = RedisConfiguration(host: host, port: port)
            try readDatabase(path)
        case .unixSocket:
            guard location.isEmpty else {
                throw .invalidURL("path", "the path of a unix socket must start with '/', as in unix:///path")
            }
            configuration = RedisConfiguration(unixSocketPath: try Self.socketPath(path))
        }
        if let query { options = try RedisURLOptions(query: String(Substring(query))) }
        try apply(to: &configuration)

        do {
            try configuration.validate()
        } catch let error as RedisError {
            throw RedisError(.invalidURL, "the Redis URL makes no sense: \(error.message)", underlyingError: error)
        } catch {
            throw RedisError(.invalidURL, "the Redis URL makes no sense", underlyingError: error)
        }
        return configuration
    }

    private func apply(to configuration: inout RedisConfiguration) throws(RedisError) {
        configuration.database = try Self.once("database", database, options.database) ?? 0
        configuration.username = try Self.once("user", username, options.username)
        configuration.password = try Self.once("password", password, options.password)
        configuration.clientName = options.clientName
        if let timeout = options.connectTimeout { configuration.connectTimeout = timeout }
        if let timeout = options.commandTimeout { configuration.commandTimeout = timeout }
    }

    private static func once<Value>(_ part: String, _ one: Value?, _ other: Value?) throws(RedisError) -> Value? {
        guard one == nil || other == nil else { throw .invalidURL(part, "it is given twice") }
        return one ?? other
    }
}

// MARK: - Cutting the URL into parts

extension RedisURLParser {
    private enum Scheme {
        case tcp, unixSocket
    }

    private static func splitScheme(_ url: String) throws(RedisError) -> (scheme: Scheme, rest: Text) {
        let text = Substring(url).utf8
        guard !text.isEmpty else { throw .invalidURL("URL", "it is empty") }
        guard !text.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            throw .invalidURL("URL", "it contains a space or a control character; write it as % and two digits")
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), text[colon...].starts(with: "://".utf8) else {
            throw .invalidURL("scheme", "there is none; a URL starts with redis:// or unix://")
        }
        let rest = text[text.index(colon, offsetBy: 3)...]
        guard !rest.contains(UInt8(ascii: "#")) else {
            throw .invalidURL("fragment", "a '#' has no meaning in a Redis URL; within a password write it as %23")
        }
        let name = String(Substring(text[..<colon])).lowercased()
        switch name {
        case "redis": return (.tcp, rest)
        case "unix", "redis+unix", "redis+socket", "redis-socket": return (.unixSocket, rest)
        case "rediss", "rediss+socket", "redis+ssl":
            throw .invalidURL("scheme", "'\(name)' asks for TLS, which this client does not speak; use redis://")
        case "": throw .invalidURL("scheme", "it is empty; a URL starts with redis:// or unix://")
        default: throw .invalidURL("scheme", "'\(name)' is not one for Redis; a URL starts with redis:// or unix://")
        }
    }

    /// `user:password@host:port` and the rest, with its slash.
    private static func splitPath(_ text: Text) -> (authority: Text, path: Text) {
        let slash = text.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
        return (text[..<slash], text[slash...])
    }

    private static func splitUserInfo(_ authority: Text) -> (userInfo: Text?, location: Text) {
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return (nil, authority) }
        return (authority[..<at], authority[authority.index(after: at)...])
    }

    private static func split(_ text: Text, at separator: Unicode.Scalar) -> (before: Text, after: Text?) {
        guard let index = text.firstIndex(of: UInt8(ascii: separator)) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }
}

// MARK: - Reading the parts

extension RedisURLParser {
    private mutating func readUserInfo(_ userInfo: Text) throws(RedisError) {
        let (user, password) = Self.split(userInfo, at: ":")
        if !user.isEmpty { username = try PercentEncoding.decode(Substring(user), part: "user") }
        if let password, !password.isEmpty {
            self.password = try PercentEncoding.decode(Substring(password), part: "password")
        }
    }

    private static func hostAndPort(_ location: Text) throws(RedisError) -> (host: String, port: Int) {
        if location.first == UInt8(ascii: "[") {
            guard let bracket = location.firstIndex(of: UInt8(ascii: "]")) else {
                throw .invalidURL("host", "the '[' of an IPv6 address is not closed by a ']'")
            }
            let literal = location[location.index(after: location.startIndex)..<bracket]
            let host = try PercentEncoding.decode(Substring(literal), part: "host")
            guard let address = try? SocketAddress(ipAddress: host, port: 0), address.protocol == .inet6 else {
                throw .invalidURL("host", "'\(host)' is not an IPv6 address")
            }
            let rest = location[location.index(after: bracket)...]
            guard rest.isEmpty || rest.first == UInt8(ascii: ":") else {
                throw .invalidURL("host", "there is something between the ']' and the port")
            }
            return (host, try port(rest.isEmpty ? nil : rest.dropFirst()))
        }
        let (name, portText) = split(location, at: ":")
        if portText?.contains(UInt8(ascii: ":")) == true {
            throw .invalidURL("host", "there are several ':' in it; write an IPv6 address in brackets, as in [::1]")
        }
        let host = try PercentEncoding.decode(Substring(name), part: "host")
        guard !host.isEmpty else { throw .invalidURL("host", "it is empty") }
        // Names that are not ASCII are left to the resolver.
        let isName = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                0x80...:
                true
            default: false
            }
        }
        guard isName else { throw .invalidURL("host", "'\(host)' contains a character that no host name has") }
        return (host, try port(portText))
    }

    private static func port(_ text: Text?) throws(RedisError) -> Int {
        guard let text else { return RedisConfiguration.defaultPort }
        guard !text.isEmpty else { throw .invalidURL("port", "there is none after the ':'") }
        guard let port = RedisURLOptions.naturalNumber(Substring(text)) else {
            // Not quoted: where the host has been forgotten, it is the password.
            throw .invalidURL("port", "what follows the ':' is not a number")
        }
        guard (1...65535).contains(port) else {
            throw .invalidURL("port", "\(port) is not between 1 and 65535")
        }
        return port
    }

    private mutating func readDatabase(_ path: Text) throws(RedisError) {
        let number = path.dropFirst()
        guard !number.isEmpty else { return }
        database = try RedisURLOptions.database(Substring(number))
    }

    private static func socketPath(_ path: Text) throws(RedisError) -> String {
        guard path.count > 1 else { throw .invalidURL("path", "it is empty; write unix:///path/of/the.sock") }
        return try PercentEncoding.decode(Substring(path), part: "path")
    }
}

extension RedisError {
    static func invalidURL(_ part: String, _ complaint: String) -> RedisError {
        RedisError(.invalidURL, "the Redis URL makes no sense: \(part): \(complaint)")
    }
}
