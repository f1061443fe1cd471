// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Redis's protocol, in which both directions have the same messages.
struct RedisWire: WireFormat {
    let isReply: Bool

    func end(of bytes: ByteBufferView, from start: Int) throws -> Int? {
        try Self.end(of: bytes, from: start)
    }

    private static func end(of bytes: ByteBufferView, from start: Int) throws -> Int? {
        guard start < bytes.endIndex, let lineEnd = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else {
            return nil
        }
        let next = lineEnd + 1
        switch bytes[start] {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"): return next
        case UInt8(ascii: "$"):
            let length = try length(bytes[(start + 1)..<lineEnd])
            if length < 0 { return next }
            return next + length + 2 <= bytes.endIndex ? next + length + 2 : nil
        case UInt8(ascii: "*"):
            var position = next
            for _ in 0..<max(try length(bytes[(start + 1)..<lineEnd]), 0) {
                guard let end = try end(of: bytes, from: position) else { return nil }
                position = end
            }
            return position
        default: throw MalformedMessage()
        }
    }

    private static func length(_ line: ByteBufferView) throws -> Int {
        guard let length = Int(String(decoding: line.dropLast(), as: UTF8.self)) else { throw MalformedMessage() }
        return length
    }

    func spoilFraming(of message: inout ByteBuffer, using random: inout SeededRandom) {
        let start = message.readerIndex
        if !isReply {
            // The server rejects the rest, and closes. Without its star the message would be an inline command, and
            // the server would answer several times. Such an answer cannot be distinguished from a reply.
            message.setInteger(UInt8(ascii: "x"), at: start + 1)
            return
        }
        let isBulk = message.getInteger(at: start, as: UInt8.self) == UInt8(ascii: "$")
        let digit: UInt8? = isBulk ? message.getInteger(at: start + 1) : nil
        if let digit, digit != UInt8(ascii: "-"), random.oneIn(2) {
            // Another length, so that the following bytes are misread.
            let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
            message.setInteger(random.element(of: digits.filter { $0 != digit }), at: start + 1)
        } else {
            // Not a type of any version of the protocol.
            message.setInteger(random.element(of: [0, 0x0A, UInt8(ascii: "x"), UInt8(ascii: "@"), 0xFF]), at: start)
        }
    }

    /// The bytes of a bulk string.
    func content(of message: ByteBuffer) -> Range<Int>? {
        let view = message.readableBytesView
        guard view.first == UInt8(ascii: "$"), let line = view.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        return line + 1 < view.endIndex - 2 ? line + 1..<view.endIndex - 2 : nil
    }
}
