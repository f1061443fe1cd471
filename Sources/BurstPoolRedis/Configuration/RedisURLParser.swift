// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Parses the URL of a Redis server. ``RedisConfiguration/init(url:)`` documents what is supported.
///
/// Error messages name the part that is wrong. They quote it only where it cannot be a piece of a password.
struct RedisURLParser {
    private typealias Text = Substring.UTF8View

    private var database: Int?
    private var username: String?
    private var password: String?
    private var options = RedisURLOptions()

    /// Parses a URL.
    ///
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

        // A password that contains an unencoded `/` or `?` leaves an `@` behind the authority. Quote nothing then.
        let at = UInt8(ascii: "@")
        guard scheme == .unixSocket || !(path.contains(at) || query?.contains(at) == true) else {
            throw .invalidURL(
                "user or password",
                "there is a '@' after the first '/' or '?'. In passwords write '/' as %2F, '?' as %3F and '@' as %40."
            )
        }
        if let userInfo { try readUserInfo(userInfo) }

        var configuration: RedisConfiguration
        switch scheme {
        case .tcp, .tls:
            let (host, port) = try Self.hostAndPort(location)
            configuration = RedisConfiguration(host: host, port: port)
            try readDatabase(path)
        case .unixSocket:
            guard location.isEmpty else {
                throw .invalidURL("path", "a unix socket needs an absolute path, after three slashes: unix:///path")
            }
            configuration = RedisConfiguration(unixSocketPath: try Self.socketPath(path))
        }
        if let query { options = try RedisURLOptions(query: String(Substring(query))) }
        try apply(to: &configuration)
        configuration.tls = try options.tls.configuration(for: scheme)

        do {
            try configuration.validate()
        } catch let error as RedisError {
            throw RedisError(.invalidURL, "The Redis URL is invalid. \(error.message)", underlyingError: error)
        } catch {
            throw RedisError(.invalidURL, "The Redis URL is invalid.", underlyingError: error)
        }
        return configuration
    }

    private func apply(to configuration: inout RedisConfiguration) throws(RedisError) {
        configuration.database = try Self.unify("database", database, options.database) ?? 0
        configuration.username = try Self.unify("user", username, options.username)
        configuration.password = try Self.unify("password", password, options.password)
        configuration.clientName = options.clientName
        if let timeout = options.connectTimeout { configuration.connectTimeout = timeout }
        if let timeout = options.commandTimeout { configuration.commandTimeout = timeout }
    }

    private static func unify<Value: Equatable>(
        _ part: String,
        _ one: Value?,
        _ other: Value?
    ) throws(RedisError) -> Value? {
        guard let one, let other else { return one ?? other }
        guard one == other else { throw .invalidURL(part, "it is given twice, with different values.") }
        return one
    }
}

// MARK: - Splitting the URL into parts

extension RedisURLParser {
    private static func splitScheme(_ url: String) throws(RedisError) -> (scheme: RedisURLScheme, rest: Text) {
        let text = Substring(url).utf8
        guard !text.isEmpty else { throw .invalidURL(nil, "it is empty. \(RedisURLScheme.advice)") }
        guard !isSpace(text.first), !isSpace(text.last) else {
            throw .invalidURL(nil, "it starts or ends with white space. Remove the white space.")
        }
        guard !text.contains(where: isSpace) else {
            throw .invalidURL(nil, "it contains a space or a control character. Write a space as %20.")
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), text[colon...].starts(with: "://".utf8) else {
            let advice =
                text.first == UInt8(ascii: "/")
                ? "To connect to the unix socket at this path, put unix:// in front of it." : RedisURLScheme.advice
            throw .invalidURL("scheme", "it is missing. \(advice)")
        }
        let rest = text[text.index(colon, offsetBy: 3)...]
        guard !rest.contains(UInt8(ascii: "#")) else {
            throw .invalidURL("fragment", "Redis URLs have none. If the '#' belongs to the password, write it as %23.")
        }
        return (try RedisURLScheme(String(Substring(text[..<colon])).lowercased()), rest)
    }

    private static func isSpace(_ byte: UInt8?) -> Bool {
        byte.map(isSpace) ?? false
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == 0x7F
    }

    /// Splits `user:password@host:port` from the path, which starts with its slash.
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
        if location.first == UInt8(ascii: "[") { return try addressAndPort(location) }
        let (name, portText) = split(location, at: ":")
        if portText?.contains(UInt8(ascii: ":")) == true {
            throw .invalidURL("host", "it contains several ':'. Write an IPv6 address in brackets: [::1]")
        }
        let host = try PercentEncoding.decode(Substring(name), part: "host")
        guard !host.isEmpty else {
            throw .invalidURL("host", "it is empty. For a server on this machine, write localhost.")
        }
        guard host.utf8.allSatisfy(isAllowedInHost) else {
            throw .invalidURL("host", "'\(host)' contains a character that is not allowed in host names.")
        }
        return (host, try port(portText))
    }

    private static func addressAndPort(_ location: Text) throws(RedisError) -> (host: String, port: Int) {
        guard let bracket = location.firstIndex(of: UInt8(ascii: "]")) else {
            throw .invalidURL("host", "the '[' of an IPv6 address has no matching ']'.")
        }
        let literal = location[location.index(after: location.startIndex)..<bracket]
        let host = try PercentEncoding.decode(Substring(literal), part: "host")
        // The system's parser does not know the zone of a link-local address, which the resolver does.
        let address = host.prefix { $0 != "%" }
        let zone = host[address.endIndex...].dropFirst()
        guard let parsed = try? SocketAddress(ipAddress: String(address), port: 0), parsed.protocol == .inet6,
            address.endIndex == host.endIndex || (!zone.isEmpty && zone.utf8.allSatisfy(isAllowedInHost))
        else {
            throw .invalidURL("host", "'\(host)' is not an IPv6 address.")
        }
        let rest = location[location.index(after: bracket)...]
        guard rest.isEmpty || rest.first == UInt8(ascii: ":") else {
            throw .invalidURL("host", "there is text between the ']' and the port.")
        }
        return (host, try port(rest.isEmpty ? nil : rest.dropFirst()))
    }

    /// Names with characters beyond ASCII are left to the resolver.
    private static func isAllowedInHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private static func port(_ text: Text?) throws(RedisError) -> Int {
        guard let text else { return RedisConfiguration.defaultPort }
        guard !text.isEmpty else { throw .invalidURL("port", "it is missing after the ':'.") }
        guard let port = RedisURLOptions.naturalNumber(Substring(text)) else {
            // The text is not quoted: in a URL without a host it is the password.
            throw .invalidURL("port", "the text after the ':' is not a number.")
        }
        guard (1...65535).contains(port) else {
            throw .invalidURL("port", "\(port) is not between 1 and 65535.")
        }
        return port
    }

    private mutating func readDatabase(_ path: Text) throws(RedisError) {
        var number = path.dropFirst()
        if number.last == UInt8(ascii: "/") { number = number.dropLast() }
        guard !number.isEmpty else { return }
        database = try RedisURLOptions.database(Substring(number))
    }

    private static func socketPath(_ path: Text) throws(RedisError) -> String {
        guard path.count > 1 else { throw .invalidURL("path", "it is empty. Write unix:///path/of/the.sock") }
        return try PercentEncoding.decode(Substring(path), part: "path")
    }
}

extension RedisError {
    /// The error of a URL with an invalid part; `nil` for the URL as a whole.
    static func invalidURL(_ part: String?, _ complaint: String) -> RedisError {
        let verb = part?.hasSuffix("s") == true ? "are" : "is"
        return RedisError(
            .invalidURL,
            "The \(part.map { "\($0) of the " } ?? "")Redis URL \(verb) invalid: \(complaint)"
        )
    }
}
