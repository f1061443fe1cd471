// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// PostgreSQL's protocol: a type, a length that counts itself, and the content. The first message of a client has no type.
struct PostgresWire: WireFormat {
    private static let cancelRequest: Int32 = 80_877_102

    private let isReply: Bool
    private var hasType: Bool

    init(isReply: Bool) {
        self.isReply = isReply
        hasType = isReply
    }

    mutating func end(of bytes: ByteBufferView, from start: Int) throws -> Int? {
        let lengthStart = hasType ? start + 1 : start
        guard lengthStart + 4 <= bytes.endIndex else { return nil }
        let length = bytes[lengthStart..<lengthStart + 4].reduce(0) { $0 << 8 | Int($1) }
        guard length >= 4, length < 1 << 30 else { throw MalformedMessage() }
        guard lengthStart + length <= bytes.endIndex else { return nil }
        hasType = true
        return lengthStart + length
    }

    func spoilFraming(of message: inout ByteBuffer, using random: inout SeededRandom) {
        let start = message.readerIndex
        if !isReply {
            // A version of the protocol that does not exist, or a type that does not exist. The server says so and closes.
            let isFirst = message.getInteger(at: start, as: UInt8.self) == 0
            message.setInteger(isFirst ? 0x7F : UInt8(ascii: "!"), at: isFirst ? start + 4 : start)
        } else if random.oneIn(2) {
            // Not a type of any version of the protocol.
            message.setInteger(random.element(of: [0, UInt8(ascii: "!"), 0xFF]), at: start)
        } else {
            // A negative length.
            message.setInteger(0xFF as UInt8, at: start + 1)
        }
    }

    /// The first value of a row that is a token.
    func content(of message: ByteBuffer) -> Range<Int>? {
        var message = message
        let start = message.readerIndex
        guard isReply, message.readInteger(as: UInt8.self) == UInt8(ascii: "D") else { return nil }
        message.moveReaderIndex(to: start + 5)
        for _ in 0..<(message.readInteger(as: Int16.self) ?? 0) {
            guard let length = message.readInteger(as: Int32.self) else { return nil }
            if length <= 0 { continue }
            let range = message.readerIndex..<message.readerIndex + Int(length)
            guard let value = message.readBytes(length: Int(length)) else { return nil }
            if Token(value) != nil { return range }
        }
        return nil
    }

    /// Whether it is a request to cancel a statement. The client waits for the end of the connection, and takes it that no
    /// statement after that is cancelled.
    func mustNotBeLate(_ message: ByteBuffer) -> Bool {
        !isReply && message.readableBytes == 16
            && message.getInteger(at: message.readerIndex + 4, as: Int32.self) == Self.cancelRequest
    }
}
