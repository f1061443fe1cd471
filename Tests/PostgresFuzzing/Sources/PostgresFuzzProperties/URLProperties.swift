// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolPostgres
import FuzzHarness

/// The properties that must hold for every text that is parsed as a connection string.
///
/// - The result is a configuration or the error `.invalidURL`, the same each time.
/// - Every parameter is one that libpq knows, and the configuration is valid.
/// - Written in either form of a connection string and parsed again, the configuration is the same.
/// - No error contains the password, and neither does the description of the configuration.
struct URLProperties {
    let string: String
    var parse: (String) throws -> PostgresConfiguration = { try PostgresConfiguration(url: $0) }

    /// The passwords in the corpus contain this text, so that it can be searched for.
    private static let secret = "hunter2"

    func check() throws {
        let (one, other) = (try outcome(of: string), try outcome(of: string))
        switch (one, other) {
        case (.success(let configuration), .success(let again)):
            try require(Self.isSame(configuration, again), "Two results for the same string differ.")
            try check(configuration)
        case (.failure(let error), .failure(let again)):
            try require(error == again, "Two errors for the same string differ.")
            try require(error.code == .invalidURL, "The code of the error is \(error.code).")
            // The password may be anywhere in a string that is not understood.
            try require(!Self.isShown(by: error), "The error contains the password: \(error)")
        default: throw Violation("Two results for the same string differ.")
        }
    }

    private func outcome(of string: String) throws -> Result<PostgresConfiguration, PostgresError> {
        do {
            return .success(try parse(string))
        } catch let error as PostgresError {
            return .failure(error)
        } catch {
            throw Violation("The error is not a PostgresError: \(error)")
        }
    }

    private static func isSame(_ one: PostgresConfiguration, _ other: PostgresConfiguration) -> Bool {
        one.parameters == other.parameters && one.connectTimeout == other.connectTimeout
    }

    private func check(_ configuration: PostgresConfiguration) throws {
        do {
            try configuration.validate()
        } catch {
            throw Violation("The configuration is not valid: \(error)")
        }
        let shown = ["host", "hostaddr", "port", "dbname", "user"].compactMap { configuration.parameters[$0] }
        if !shown.contains(where: Self.hasSecret) {
            try require(!Self.isShown(by: configuration), "The description of the configuration contains the password.")
        }
        for form in [Self.url(of: configuration), Self.keywords(of: configuration)] {
            guard case .success(let again) = try outcome(of: form) else {
                throw Violation("The configuration is \(configuration.parameters), but \(form) is refused.")
            }
            try require(
                Self.isSame(configuration, again),
                "The configuration is \(configuration.parameters), but that of \(form) is \(again.parameters)."
            )
        }
    }

    private static func isShown(by value: some Any) -> Bool {
        var dumped = ""
        dump(value, to: &dumped)
        return [String(describing: value), String(reflecting: value), dumped].contains(where: hasSecret)
    }

    /// Whether a text contains the bytes of the secret. Swift compares characters, and a combining character after the secret
    /// would change its last one.
    private static func hasSecret(_ text: String) -> Bool {
        Array(text.utf8).contains(Array(secret.utf8))
    }

    // MARK: - Writing a connection string

    private static func parameters(of configuration: PostgresConfiguration) -> [(name: String, value: String)] {
        let timeout = ("connect_timeout", "\(configuration.connectTimeout.components.seconds)")
        return configuration.parameters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } + [timeout]
    }

    private static func url(of configuration: PostgresConfiguration) -> String {
        let pairs = parameters(of: configuration).map { "\($0.name)=\(encode($0.value))" }
        return "postgresql://?" + pairs.joined(separator: "&")
    }

    private static func encode(_ text: String) -> String {
        text.utf8.reduce(into: "") { encoded, byte in
            let digits = String(byte, radix: 16)
            encoded += "%" + (digits.utf8.count < 2 ? "0" : "") + digits
        }
    }

    private static func keywords(of configuration: PostgresConfiguration) -> String {
        parameters(of: configuration).map { name, value in
            let quoted = value.utf8.flatMap {
                [UInt8(ascii: "'"), UInt8(ascii: "\\")].contains($0) ? [UInt8(ascii: "\\"), $0] : [$0]
            }
            return "\(name)='\(String(decoding: quoted, as: UTF8.self))'"
        }.joined(separator: " ")
    }
}
