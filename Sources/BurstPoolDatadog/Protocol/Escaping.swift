/// What the protocol does about characters that it uses itself.
extension ByteWriter {
    /// The title or the text of an event, or the message of a service check: a line break is written as `\` and `n`.
    ///
    /// The carriage return counts as one too, alone or with a line feed: an agent would cut it off at the end of a message,
    /// which would then be shorter than it says. The protocol has no way to tell a line break from the two characters `\`
    /// and `n`.
    ///
    /// - Parameters:
    ///   - escapesMessageMark: Whether `m:` is written as `m\:`, as the message of a service check wants it.
    ///   - replacesBars: Whether `|`, for which that message has no escape, becomes an underscore.
    mutating func writeEscaped(_ text: String, escapesMessageMark: Bool = false, replacesBars: Bool = false) {
        var previous: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n") where previous == UInt8(ascii: "\r"): break  // Written with the carriage return.
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): write(#"\n"#)
            case UInt8(ascii: ":") where escapesMessageMark && previous == UInt8(ascii: "m"): write(#"\:"#)
            case UInt8(ascii: "|") where replacesBars: write(UInt8(ascii: "_"))
            default: write(byte)
            }
            previous = byte
        }
    }

    /// How many bytes a text has when it is escaped.
    static func escapedCount(_ text: String) -> Int {
        var counter = ByteWriter(UnsafeMutableRawBufferPointer(start: nil, count: 0))
        counter.writeEscaped(text)
        return counter.count
    }

    /// A field that ends at the next `|` or at the end of the line: a host, a key, the name of a check, a member of a set.
    /// These characters become underscores in it.
    mutating func writeField(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "|"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): write(UInt8(ascii: "_"))
            default: write(byte)
            }
        }
    }
}
