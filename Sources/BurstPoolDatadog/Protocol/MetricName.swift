// SPDX-License-Identifier: Apache-2.0

/// The rule for metric names: they start with an ASCII letter, and contain only ASCII letters, digits, `_` and `.`.
enum MetricName {
    /// Returns a valid name. Everything before the first letter is removed, and every other invalid character becomes an
    /// underscore. Returns `nil` if the name has no letter.
    static func sanitized(_ name: String) -> String? {
        guard let start = name.utf8.firstIndex(where: isLetter) else { return nil }
        if start == name.utf8.startIndex, name.utf8.allSatisfy(isAllowed) { return name }
        return String(decoding: rest(of: name[start...]), as: UTF8.self)
    }

    /// Returns a valid name to append to a prefix, which need not start with a letter. Returns `nil` for an empty name.
    static func sanitizedRest(_ name: String) -> String? {
        if name.isEmpty { return nil }
        return name.utf8.allSatisfy(isAllowed) ? name : String(decoding: rest(of: name[...]), as: UTF8.self)
    }

    private static func rest(of name: Substring) -> [UInt8] {
        // A character becomes one underscore, even if it has several bytes.
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
