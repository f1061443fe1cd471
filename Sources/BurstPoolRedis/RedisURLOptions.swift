/// What follows the `?` of a Redis URL.
struct RedisURLOptions {
    var database: Int?
    var username: String?
    var password: String?
    var clientName: String?
    var connectTimeout: Duration?
    var commandTimeout: Duration?

    init() {}

    /// - Throws: ``RedisError/Code/invalidURL``, naming the option.
    init(query: String) throws(RedisError) {
        for option in query.split(separator: "&") {
            do throws(RedisError) {
                try read(option)
            } catch {
                guard password == nil else {
                    // It may be the rest of a password with a '&' in it. Quote nothing.
                    throw .invalidURL(
                        "options",
                        "what follows the password makes no sense; in a password write '&' as %26"
                    )
                }
                throw error
            }
        }
    }

    private mutating func read(_ option: Substring) throws(RedisError) {
        guard let equals = option.firstIndex(of: "=") else {
            throw .invalidURL("option", "'\(option)' has no value; write \(option)=…")
        }
        let name = try PercentEncoding.decode(option[..<equals], part: "option")
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
                throw .invalidURL("option 'protocol'", "'\(value)' is not a version that this client speaks: only 2 is")
            }
        default:
            throw .invalidURL("option '\(name)'", "there is no such option")
        }
    }

    private static func assign<Value>(_ value: Value, to target: inout Value?, _ name: String) throws(RedisError) {
        guard target == nil else { throw .invalidURL("option '\(name)'", "it is given twice") }
        target = value
    }

    // MARK: - Values

    /// The number of a database.
    static func database(_ text: Substring) throws(RedisError) -> Int {
        if text.first == "-", naturalNumber(text.dropFirst()) != nil {
            throw .invalidURL("database", "\(text) is negative")
        }
        guard let number = naturalNumber(text) else {
            throw .invalidURL("database", "'\(text)' is not a number")
        }
        return number
    }

    /// Decimal digits and nothing else, unlike `Int.init`, which takes signs too. `nil` also if it is too large.
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
            throw .invalidURL("option '\(name)'", "'\(text)' is not a time; write seconds, or a number with ms, s or m")
        }
        let seconds = number * secondsPerUnit
        guard seconds > 0 else { throw .invalidURL("option '\(name)'", "'\(text)' is not above zero") }
        guard seconds <= 1e9 else { throw .invalidURL("option '\(name)'", "'\(text)' is more than thirty years") }
        return .seconds(seconds)
    }
}
