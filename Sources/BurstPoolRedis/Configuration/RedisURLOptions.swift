// SPDX-License-Identifier: Apache-2.0

/// The options after the `?` of a Redis URL.
struct RedisURLOptions {
    private(set) var database: Int?
    private(set) var username: String?
    private(set) var password: String?
    private(set) var clientName: String?
    private(set) var connectTimeout: Duration?
    private(set) var commandTimeout: Duration?
    private(set) var tls = RedisURLTLSOptions()

    init() {}

    /// Parses options that are separated by `&`.
    ///
    /// - Throws: ``RedisError/Code/invalidURL`` with a message that names the option.
    init(query: String) throws(RedisError) {
        for option in query.split(separator: "&") {
            do throws(RedisError) {
                try read(option)
            } catch {
                guard password == nil else {
                    // The option may be the rest of a password that contains a '&'. Quote nothing.
                    throw .invalidURL(
                        "options",
                        "the text after the password is not a valid option. In passwords write '&' as %26."
                    )
                }
                throw error
            }
        }
    }

    private mutating func read(_ option: Substring) throws(RedisError) {
        guard let equals = option.firstIndex(of: "=") else {
            throw .invalidURL("option '\(option)'", "it has no value. Write \(option)=VALUE.")
        }
        let name = try PercentEncoding.decode(option[..<equals], part: "name of an option")
        let value = try PercentEncoding.decode(option[option.index(after: equals)...], part: "option '\(name)'")
        try set(name, value)
    }

    private mutating func set(_ name: String, _ value: String) throws(RedisError) {
        switch name {
        case "db", "database":
            try Self.assign(try Self.database(Substring(value)), to: &database, name)
        case "username":
            try Self.assign(value, to: &username, name)
        case "password":
            try Self.assign(value, to: &password, name)
        case "client_name", "clientName":
            try Self.assign(value, to: &clientName, name)
        case "connect_timeout", "socket_connect_timeout", "dial_timeout":
            try Self.assign(try Self.duration(value, name), to: &connectTimeout, name)
        case "command_timeout", "socket_timeout", "read_timeout", "timeout":
            try Self.assign(try Self.duration(value, name), to: &commandTimeout, name)
        case "protocol":
            guard value == "2" else {
                throw .invalidURL("option 'protocol'", "'\(value)' is not supported. This client uses protocol 2.")
            }
        default:
            if try tls.set(name, value) { return }
            throw .invalidURL("option '\(name)'", Self.advice(forUnknown: name))
        }
    }

    /// Where an option of other clients' URLs is set instead.
    private static func advice(forUnknown name: String) -> String {
        switch name {
        case "pool_size", "max_connections", "min_idle_conns", "max_idle_conns", "pool_timeout":
            "the pool's limits are not part of the URL. Set them in ConnectionPoolConfiguration, and remove the option."
        case "health_check_interval":
            "set ConnectionPoolConfiguration.validateAfterIdle or keepaliveInterval instead, and remove the option."
        case "max_retries", "retry_on_timeout", "max_retry_backoff", "min_retry_backoff":
            "set ConnectionPoolConfiguration.connectRetry instead, and remove the option."
        default: "there is no such option."
        }
    }

    static func assign<Value: Equatable>(_ value: Value, to target: inout Value?, _ name: String) throws(RedisError) {
        guard target == nil || target == value else {
            throw .invalidURL("option '\(name)'", "it is given twice, with different values.")
        }
        target = value
    }

    // MARK: - Values

    /// Reads the number of a database.
    static func database(_ text: Substring) throws(RedisError) -> Int {
        if text.first == "-", naturalNumber(text.dropFirst()) != nil {
            throw .invalidURL("database", "\(text) is negative.")
        }
        guard let number = naturalNumber(text) else {
            throw .invalidURL("database", "'\(text)' is not a number. Redis numbers its databases from 0.")
        }
        return number
    }

    /// Reads decimal digits, and nothing else: `Int.init` would accept a sign. Returns `nil` also for a number too
    /// large.
    static func naturalNumber(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(text)
    }

    private static func duration(_ text: String, _ name: String) throws(RedisError) -> Duration {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let secondsPerUnit: Double
        switch text[digits.endIndex...] {
        case "", "s": secondsPerUnit = 1
        case "ms": secondsPerUnit = 0.001
        case "m": secondsPerUnit = 60
        default: secondsPerUnit = .nan
        }
        guard let number = Double(digits), !secondsPerUnit.isNaN else {
            throw .invalidURL(
                "option '\(name)'",
                "'\(text)' is not a time. Write a number of seconds, or a number with ms, s or m."
            )
        }
        let seconds = number * secondsPerUnit
        guard seconds > 0 else { throw .invalidURL("option '\(name)'", "'\(text)' is not more than zero.") }
        guard seconds <= 1e9 else { throw .invalidURL("option '\(name)'", "'\(text)' is more than 30 years.") }
        return .seconds(seconds)
    }
}
