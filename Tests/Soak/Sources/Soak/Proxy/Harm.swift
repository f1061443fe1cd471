// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What the proxy does to one message.
struct Harm {
    var bytes: ByteBuffer
    var delay = TimeAmount.zero
    /// Whether both sides are closed after these bytes.
    var cutsAfterwards = false
    /// Whether nothing passes in this direction any more.
    var stallsAfterwards = false
    /// The name under which the harm is counted.
    var name: String?

    /// - Parameters:
    ///   - message: A complete message.
    ///   - isReply: Whether the message goes from the server to the client.
    static func some(
        of weather: Weather,
        to message: ByteBuffer,
        isReply: Bool,
        using random: inout SeededRandom
    ) -> Harm {
        var harm = Harm(bytes: message)
        func strikes(_ rate: Int) -> Bool { rate > 0 && random.oneIn(rate) }
        if strikes(weather.delay) {
            harm.delay = .microseconds(Int64(random.number(100...60_000)))
            harm.name = "delayed"
        }
        if strikes(weather.cut) {
            // At the first byte, in the middle, or after the last.
            harm.bytes = message.getSlice(at: message.readerIndex, length: random.number(0...message.readableBytes))!
            harm.cutsAfterwards = true
            harm.name = isReply ? "cut in a reply" : "cut in a command"
        } else if strikes(weather.stall) {
            harm.bytes = message.getSlice(at: message.readerIndex, length: random.number(0...message.readableBytes))!
            harm.stallsAfterwards = true
            harm.name = "stalled"
        } else if strikes(weather.spoilFraming) {
            harm.spoilFraming(isReply: isReply, using: &random)
        } else if isReply, strikes(weather.spoilPayload) {
            harm.spoilPayload(using: &random)
        }
        return harm
    }

    /// Changes a byte so that the result cannot be parsed as a complete message.
    private mutating func spoilFraming(isReply: Bool, using random: inout SeededRandom) {
        let start = bytes.readerIndex
        if !isReply {
            // The server rejects the rest, and closes. Without its star the message would be an inline command, and
            // the server would answer several times. Such an answer cannot be distinguished from a reply.
            bytes.setInteger(UInt8(ascii: "x"), at: start + 1)
            name = Self.spoiledCommand
            return
        }
        let isBulk = bytes.getInteger(at: start, as: UInt8.self) == UInt8(ascii: "$")
        let digit: UInt8? = isBulk ? bytes.getInteger(at: start + 1) : nil
        if let digit, digit != UInt8(ascii: "-"), random.oneIn(2) {
            // Another length, so that the following bytes are misread.
            let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
            bytes.setInteger(random.element(of: digits.filter { $0 != digit }), at: start + 1)
        } else {
            // Not a type of any version of the protocol.
            bytes.setInteger(random.element(of: [0, 0x0A, UInt8(ascii: "x"), UInt8(ascii: "@"), 0xFF]), at: start)
        }
        name = Self.spoiledFraming
    }

    private mutating func spoilPayload(using random: inout SeededRandom) {
        let view = bytes.readableBytesView
        guard view.first == UInt8(ascii: "$"), let line = view.firstIndex(of: UInt8(ascii: "\n")) else { return }
        let payload = (first: line + 1, last: view.endIndex - 3)
        guard payload.first <= payload.last else { return }
        let victim = random.number(payload.first...payload.last)
        bytes.setInteger(view[victim] ^ UInt8(random.number(1...255)), at: victim)
        name = Self.spoiledPayload
    }

    static let spoiledCommand = "spoiled a command"
    static let spoiledFraming = "spoiled the framing of a reply"
    static let spoiledPayload = "spoiled the content of a reply"
}
