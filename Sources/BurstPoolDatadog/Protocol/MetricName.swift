/// The rule for names of metrics: they start with an ASCII letter, and have ASCII letters, digits, `_` and `.` only.
enum MetricName {
    /// A name as it may be sent: everything before the first letter is left out, and every other character that is not
    /// allowed becomes an underscore. `nil` if there is no letter.
    static func sanitized(_ name: String) -> String? {
        guard let start = name.utf8.firstIndex(where: isLetter) else { return nil }
        if start == name.utf8.startIndex, name.utf8.allSatisfy(isAllowed) { return name }
        return String(decoding: rest(of: name[start...]), as: UTF8.self)
    }

    /// What may follow a prefix: the same, but it need not start with a letter. `nil` if it is empty.
    static func sanitizedRest(_ name: String) -> String? {
        if name.isEmpty { return nil }
        return name.utf8.allSatisfy(isAllowed) ? name : String(decoding: rest(of: name[...]), as: UTF8.self)
    }

    private static func rest(of name: Substring) -> [UInt8] {
        // One underscore for a character, however many bytes it has.
        name.unicodeScalars.map { scalar in
            guard scalar.isASCII, let byte = UInt8(exactly: scalar.value), isAllowed(byte) else {
                return UInt8(ascii: "_")
            }
            return byte
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: false
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: isLetter(byte)
        }
    }
}
