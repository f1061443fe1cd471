// SPDX-License-Identifier: Apache-2.0

/// Escaping of the characters that have a meaning in the protocol.
extension ByteWriter {
    /// Writes the title or the text of an event, or the message of a service check. A line break becomes `\` and `n`.
    ///
    /// A carriage return, alone or before a line feed, is a line break as well. An agent would remove it from the end of a
    /// message, which would then be shorter than its stated length. The protocol cannot tell a line break from the two
    /// characters `\` and `n`.
    ///
    /// - Parameters:
    ///   - escapesMessagePrefix: Whether `m:` becomes `m\:`, which the message of a service check requires.
    ///   - replacesBars: Whether `|` becomes an underscore, because that message has no escape for it.
    mutating func writeEscaped(_ text: String, escapesMessagePrefix: Bool = false, replacesBars: Bool = false) {
        var previous: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n") where previous == UInt8(ascii: "\r"): break
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): write(#"\n"#)
            case UInt8(ascii: ":") where escapesMessagePrefix && previous == UInt8(ascii: "m"): write(#"\:"#)
            case UInt8(ascii: "|") where replacesBars: write(UInt8(ascii: "_"))
            default: write(byte)
            }
            previous = byte
        }
    }

    /// Returns the number of bytes of a text after escaping.
    static func escapedCount(_ text: String) -> Int {
        var counter = ByteWriter(UnsafeMutableRawBufferPointer(start: nil, count: 0))
        counter.writeEscaped(text)
        return counter.count
    }

    /// Writes a field that ends at the next `|` or at the end of the line, such as a host or the member of a set.
    ///
    /// In the field, `|` and line breaks become underscores.
    mutating func writeField(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "|"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): write(UInt8(ascii: "_"))
            default: write(byte)
            }
        }
    }
}
