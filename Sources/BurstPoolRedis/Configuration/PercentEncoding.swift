// SPDX-License-Identifier: Apache-2.0

/// Decodes the percent-encoded characters of URLs, such as `%41`.
enum PercentEncoding {
    /// Replaces each `%` and the two hexadecimal digits after it by the byte that they encode.
    ///
    /// - Parameter part: The name of the part of the URL, for the error message.
    /// - Throws: ``RedisError/Code/invalidURL``. The message does not contain the text, because it may be a password.
    static func decode(_ text: Substring, part: String) throws(RedisError) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                throw .invalidURL(part, "a '%' is not followed by two hexadecimal digits. Write a literal '%' as %25.")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw .invalidURL(part, "the percent-encoded bytes are not valid UTF-8.")
        }
        return decoded
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
