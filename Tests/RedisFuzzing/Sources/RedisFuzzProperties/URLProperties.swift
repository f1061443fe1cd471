// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolRedis
import FuzzHarness
import NIOCore

/// The properties that must hold for every text that is parsed as the URL of a Redis server.
///
/// - The result is a valid configuration whose set-up commands can be sent, or the error `.invalidURL`.
/// - The result is the same each time.
/// - The configuration that is written as a URL and parsed again is the same.
/// - Neither the error nor the description of the configuration contains the password.
struct URLProperties {
    let url: String

    /// The passwords in the corpus contain this text, so that it can be searched for.
    static let secret = "hunter2"

    func check() throws {
        let outcome = Self.parse(url)
        try require(outcome == Self.parse(url), "Two results for the same URL differ.")
        switch outcome {
        case .success(let configuration): try check(configuration)
        case .failure(let error):
            try require(error.code == .invalidURL, "The code of the error is \(error.code).")
            let texts = [error.message, "\(error)", String(reflecting: error), Self.dumped(error)]
            try require(
                !(isSecretGiven && texts.contains(where: Self.showsSecret)),
                "The error contains the password: \(error)"
            )
        }
    }

    private static func parse(_ url: String) -> Result<RedisConfiguration, RedisError> {
        do {
            return .success(try RedisConfiguration(url: url))
        } catch let error as RedisError {
            return .failure(error)
        } catch {
            return .failure(RedisError(.connectFailed, "The error is not a RedisError: \(error)"))
        }
    }

    private static func dumped(_ value: Any) -> String {
        var text = ""
        dump(value, to: &text)
        return text
    }

    // MARK: The password

    /// Whether the secret occurs only where it may be meant as the password, or a part of it. That includes passwords that
    /// are not encoded correctly, and URLs without a host.
    private var isSecretGiven: Bool {
        guard let authority = url.utf8.range(of: "://") else { return false }
        var rest = url.utf8[authority.upperBound...]
        var before = url.utf8[..<authority.lowerBound]
        // The user and the password end at the last '@', or at the end of the authority if there is none. The path after
        // `user:password@` of a unix socket may contain '@' too.
        let authorityEnd = rest.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
        let at = UInt8(ascii: "@")
        let isUnixWithUser = rest[..<authorityEnd].last == at && rest[authorityEnd...].first == UInt8(ascii: "/")
        let lastAt = isUnixWithUser ? authorityEnd : rest.lastIndex(of: at)
        let end = lastAt ?? authorityEnd
        // Text in brackets is an address.
        let isAddress = lastAt == nil && rest.first == UInt8(ascii: "[")
        if rest.first != UInt8(ascii: "/"), !isAddress, let colon = rest[..<end].firstIndex(of: UInt8(ascii: ":")) {
            before = url.utf8[..<colon]
            rest = rest[end...]
        }
        var remainder = rest
        if let query = rest.firstIndex(of: UInt8(ascii: "?")) {
            if rest[query...].starts(with: "?password=".utf8) {
                remainder = rest[..<query]
            } else if let option = rest[query...].range(of: "&password=") {
                remainder = rest[..<option.lowerBound]
            }
        }
        // Error messages quote a scheme in lower case.
        let scheme = String(Substring(url.utf8[..<authority.lowerBound])).lowercased()
        return [before, remainder, Substring(scheme).utf8].allSatisfy { $0.range(of: Self.secret) == nil }
    }

    /// Whether a text contains the bytes of the secret. Swift compares characters, and a combining character after the secret
    /// would change its last one.
    private static func showsSecret(_ text: String?) -> Bool {
        text?.utf8.range(of: secret) != nil
    }

    // MARK: A configuration

    private func check(_ configuration: RedisConfiguration) throws {
        try configuration.validate()
        try checkSecrecy(of: configuration)
        try checkSetUp(of: configuration)

        let canonical = Self.url(of: configuration)
        guard case .success(var again) = Self.parse(canonical) else {
            throw Violation("Its configuration is \(configuration), but \(canonical) is refused.")
        }
        // Decimal fractions are not exact, so they are compared with a tolerance.
        try require(
            Self.isClose(again.connectTimeout, configuration.connectTimeout)
                && Self.isClose(again.commandTimeout, configuration.commandTimeout),
            "Its timeouts are \(configuration), but those of \(canonical) are \(again)."
        )
        again.connectTimeout = configuration.connectTimeout
        again.commandTimeout = configuration.commandTimeout
        try require(
            again == configuration,
            "Its configuration is \(configuration), but that of \(canonical) is \(again)."
        )
    }

    private static func isClose(_ one: Duration?, _ other: Duration?) -> Bool {
        guard let one, let other else { return one == other }
        let difference = one - other
        return max(difference, .zero - difference) <= one / 1_000_000 + .nanoseconds(1)
    }

    private func checkSecrecy(of configuration: RedisConfiguration) throws {
        guard Self.showsSecret(configuration.password) else { return }
        // The host, the user or the client name may be the same text as the password.
        let shown = [configuration.endpoint.description, configuration.username, configuration.clientName]
        guard !shown.contains(where: Self.showsSecret) else { return }
        let texts = ["\(configuration)", String(reflecting: configuration), Self.dumped(configuration)]
        try require(
            !texts.contains(where: Self.showsSecret),
            "The description of the configuration contains the password."
        )
    }

    /// Checks that the set-up commands can be encoded, and are decoded as the same commands.
    private func checkSetUp(of configuration: RedisConfiguration) throws {
        var encoder = CommandEncoder(session: SessionState(database: configuration.database))
        var expected: [RedisReply] = []
        let credentials =
            configuration.username == nil && configuration.password == nil
            ? nil : RedisCredentials(username: configuration.username, password: configuration.password ?? "")
        for command in SetUpCommand.all(for: configuration, credentials: credentials).map(\.command) {
            try encoder.append(command.arguments)
            expected.append(.array(command.arguments.map { .bulkString(Array("\($0)".utf8)) }))
        }
        let reading = Reading(Array(encoder.wire.readableBytesView), limit: 1 << 30)
        try require(
            reading.error == nil && reading.replies == expected,
            "The set-up commands are not decoded as they were encoded."
        )
    }

    // MARK: Writing a URL

    private static func url(of configuration: RedisConfiguration) -> String {
        var url: String
        switch configuration.endpoint {
        case .tcp(let host, let port):
            let scheme = configuration.tls == nil ? "redis" : "rediss"
            url =
                "\(scheme)://" + (host.utf8.contains(UInt8(ascii: ":")) ? "[\(encode(host))]" : encode(host))
                + ":\(port)"
        case .unixSocket(let path):
            // The first slash must not be encoded.
            url = "unix:///" + encode(String(decoding: path.utf8.dropFirst(), as: UTF8.self))
        }
        var options = ["db=\(configuration.database)", "connect_timeout=\(seconds(configuration.connectTimeout))"]
        if let username = configuration.username { options.append("username=\(encode(username))") }
        if let password = configuration.password { options.append("password=\(encode(password))") }
        if let clientName = configuration.clientName { options.append("client_name=\(encode(clientName))") }
        if let timeout = configuration.commandTimeout { options.append("command_timeout=\(seconds(timeout))") }
        if let tls = configuration.tls { options += tlsOptions(of: tls) }
        return url + "?" + options.joined(separator: "&")
    }

    private static func tlsOptions(of tls: RedisTLSConfiguration) -> [String] {
        var options: [String] = []
        func path(_ pem: RedisTLSConfiguration.PEM) -> String {
            if case .file(let path) = pem { encode(path) } else { "" }
        }
        if case .certificates(let roots) = tls.trustRoots { options.append("ssl_ca_certs=\(path(roots))") }
        if let certificate = tls.clientCertificate {
            options += ["ssl_certfile=\(path(certificate.chain))", "ssl_keyfile=\(path(certificate.privateKey))"]
        }
        switch tls.verification {
        case .full: break
        case .withoutName: options.append("ssl_check_hostname=false")
        case .none: options.append("ssl_cert_reqs=none")
        }
        if let name = tls.serverName { options.append("server_name=\(encode(name))") }
        return options
    }

    private static func encode(_ text: String) -> String {
        text.utf8.reduce(into: "") { encoded, byte in
            let scalar = Unicode.Scalar(byte)
            if byte < 0x80, scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
                encoded.unicodeScalars.append(scalar)
            } else {
                encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
    }

    private static func seconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let fraction = String(attoseconds)
        return "\(seconds)." + String(repeating: "0", count: 18 - fraction.count) + fraction
    }
}

extension Collection<UInt8> {
    /// The first occurrence of a text among the bytes.
    fileprivate func range(of text: String) -> Range<Index>? {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.starts(with: text.utf8) {
                return rest.startIndex..<rest.index(rest.startIndex, offsetBy: text.utf8.count)
            }
            rest = rest.dropFirst()
        }
        return nil
    }
}
