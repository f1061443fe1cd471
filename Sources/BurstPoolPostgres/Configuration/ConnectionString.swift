// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// libpq's parser of connection strings.
enum ConnectionString {
    /// Returns the parameters that a URL, or a string of the form `host=… dbname=…`, gives.
    static func parse(_ string: String) throws -> [String: String] {
        guard !string.utf8.contains(0) else {
            throw PostgresError(.invalidURL, "The connection string contains a zero byte.")
        }
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(string, &message) else {
            let text = message.map { String(cString: $0) } ?? "out of memory"
            PQfreemem(message)
            throw PostgresError(.invalidURL, "The connection string is malformed: \(withoutSecrets(text)).")
        }
        defer { PQconninfoFree(options) }
        var parameters: [String: String] = [:]
        for option in options.prefix(whileNamed: ()) {
            if let value = option.val { parameters[String(cString: option.keyword)] = String(cString: value) }
        }
        return parameters
    }

    /// The names of all connection parameters that the installed libpq knows.
    static let knownParameters: Set<String> = {
        guard let options = PQconninfoParse("", nil) else { return [] }
        defer { PQconninfoFree(options) }
        return Set(options.prefix(whileNamed: ()).map { String(cString: $0.keyword) })
    }()

    /// libpq quotes the part that it does not understand, and that part may be the password. Only the name of a parameter
    /// is kept, if it looks like one: in `postgresq://app:secret@host/db?sslmode=require`, whose scheme has a typing error,
    /// libpq takes everything up to the equals sign for a name.
    private static func withoutSecrets(_ message: String) -> String {
        // Bytes, because a quote and a combining character after it are one character of Swift.
        let text = message.utf8.prefix { $0 != UInt8(ascii: "\n") }
        guard let quote = text.firstIndex(of: UInt8(ascii: "\"")) else { return String(Substring(text)) }
        let before = Substring(text[..<quote])
        let isAboutName = ["invalid connection option ", "invalid URI query parameter: "].contains { before == $0 }
        let isName = text[quote...].dropFirst().dropLast().allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_")
        }
        if isAboutName, isName { return String(Substring(text)) }
        return before + "(the quoted part is not shown, because it may be a password)"
    }
}

extension UnsafeMutablePointer<PQconninfoOption> {
    /// The options of an array that ends with one without a name.
    fileprivate func prefix(whileNamed: Void) -> UnsafeBufferPointer<PQconninfoOption> {
        var count = 0
        while self[count].keyword != nil { count += 1 }
        return UnsafeBufferPointer(start: self, count: count)
    }
}
