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
    ///   - format: The protocol.
    ///   - isReply: Whether the message goes from the server to the client.
    static func some(
        of weather: Weather,
        to message: ByteBuffer,
        in format: any WireFormat,
        isReply: Bool,
        using random: inout SeededRandom
    ) -> Harm {
        var harm = Harm(bytes: message)
        // As a whole it arrives, and is followed by no fault.
        let longestPart = message.readableBytes - (format.mustNotBeLate(message) ? 1 : 0)
        func strikes(_ rate: Int) -> Bool { rate > 0 && random.oneIn(rate) }
        if strikes(weather.delay) {
            harm.delay = .microseconds(Int64(random.number(100...60_000)))
            harm.name = "delayed"
        }
        if strikes(weather.cut) {
            // At the first byte, in the middle, or after the last.
            harm.bytes = message.getSlice(at: message.readerIndex, length: random.number(0...longestPart))!
            harm.cutsAfterwards = true
            harm.name = isReply ? "cut in a reply" : "cut in a command"
        } else if strikes(weather.stall) {
            harm.bytes = message.getSlice(at: message.readerIndex, length: random.number(0...longestPart))!
            harm.stallsAfterwards = true
            harm.name = "stalled"
        } else if strikes(weather.spoilFraming) {
            format.spoilFraming(of: &harm.bytes, using: &random)
            harm.name = isReply ? spoiledFraming : spoiledCommand
        } else if isReply, strikes(weather.spoilPayload), let content = format.content(of: message) {
            let victim = random.number(content.lowerBound...content.upperBound - 1)
            let byte: UInt8 = message.getInteger(at: victim)!
            harm.bytes.setInteger(byte ^ UInt8(random.number(1...255)), at: victim)
            harm.name = spoiledPayload
        }
        return harm
    }

    static let spoiledCommand = "spoiled a command"
    static let spoiledFraming = "spoiled the framing of a reply"
    static let spoiledPayload = "spoiled the content of a reply"
}
