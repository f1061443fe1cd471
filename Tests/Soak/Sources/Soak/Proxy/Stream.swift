// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// One direction of a link: parses messages, and forwards them in order, harmed or not.
///
/// Must run on its event loop.
final class Stream: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    /// Bytes to write at a given time.
    private struct Parcel {
        let bytes: ByteBuffer
        let due: NIODeadline
        let cutsAfterwards: Bool
    }

    private let link: Link
    private let isReply: Bool
    private var format: any WireFormat
    private var random: SeededRandom
    private var incoming = ByteBuffer()
    private var outgoing = CircularBuffer<Parcel>()
    private var isScheduled = false
    private var isStalled = false

    init(_ link: Link, isReply: Bool, random: SeededRandom) {
        self.link = link
        self.isReply = isReply
        self.random = random
        format = link.proxy.wire.init(isReply: isReply)
        if isReply { _ = self.random.next() }
    }

    private var destination: any Channel { isReply ? link.client : link.server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        incoming.writeImmutableBuffer(unwrapInboundIn(data))
        do {
            while let end = try format.end(of: incoming.readableBytesView, from: incoming.readerIndex) {
                guard let message = incoming.readSlice(length: end - incoming.readerIndex) else { break }
                pass(message)
            }
            incoming.discardReadBytes()
        } catch {
            let start = String(decoding: incoming.readableBytesView.prefix(80), as: UTF8.self)
            link.report.findings.add(
                "\(isReply ? "the server" : "a client") sent bytes that are not its protocol: '\(start)'"
            )
            link.close()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        // A server says why it closes. That message is forwarded.
        if let last = outgoing.last, isReply, !last.cutsAfterwards {
            outgoing.append(Parcel(bytes: ByteBuffer(), due: last.due, cutsAfterwards: true))
        } else {
            link.close()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        link.close()
    }

    private func pass(_ message: ByteBuffer) {
        guard !isStalled else { return }
        let isContent = isReply && format.content(of: message) != nil
        let bytes = isContent ? link.proxy.swapped(message, on: link.number, using: &random) : message
        var weather = link.proxy.weather
        if link.report.sabotage == .spoilUncounted { (weather.spoilFraming, weather.spoilPayload) = (100, 20) }
        let harm = Harm.some(of: weather, to: bytes, in: format, isReply: isReply, using: &random)
        if format.mustNotBeLate(message) { link.isSpared = true }
        if let name = harm.name, !isSecret(name) { link.report.faults.count(name) }
        isStalled = harm.stallsAfterwards || harm.cutsAfterwards
        if harm.stallsAfterwards { link.closeLater() }
        let due = max(.now() + harm.delay, link.proxy.heldUntil, outgoing.last?.due ?? .now())
        if weather.dribble > 0, random.oneIn(weather.dribble) {
            link.report.faults.count("sent in pieces")
            dribble(harm, from: due)
        } else {
            outgoing.append(Parcel(bytes: harm.bytes, due: due, cutsAfterwards: harm.cutsAfterwards))
        }
        deliver()
    }

    /// Whether the harm must not be counted, for ``Sabotage/spoilUncounted``.
    private func isSecret(_ name: String) -> Bool {
        link.report.sabotage == .spoilUncounted && (name == Harm.spoiledFraming || name == Harm.spoiledPayload)
    }

    private func dribble(_ harm: Harm, from due: NIODeadline) {
        var (rest, due) = (harm.bytes, due)
        // In up to ten pieces, whatever the length.
        let most = max(rest.readableBytes / 5, 1)
        while rest.readableBytes > 0 {
            let piece = rest.readSlice(length: min(random.number(1...most), rest.readableBytes))!
            let isLast = rest.readableBytes == 0
            outgoing.append(Parcel(bytes: piece, due: due, cutsAfterwards: isLast && harm.cutsAfterwards))
            due = due + .microseconds(Int64(random.number(0...2_000)))
        }
        if harm.bytes.readableBytes == 0, harm.cutsAfterwards {
            outgoing.append(Parcel(bytes: ByteBuffer(), due: due, cutsAfterwards: true))
        }
    }

    private func deliver() {
        var hasWritten = false
        while let parcel = outgoing.first, parcel.due <= .now() {
            outgoing.removeFirst()
            if parcel.bytes.readableBytes > 0 {
                destination.write(parcel.bytes, promise: nil)
                hasWritten = true
            }
            if parcel.cutsAfterwards {
                destination.flush()
                // Half of the ends are abrupt.
                random.oneIn(2) ? link.cut() : link.close()
                return
            }
        }
        if hasWritten { destination.flush() }
        guard let next = outgoing.first, !isScheduled else { return }
        isScheduled = true
        destination.eventLoop.assumeIsolated().scheduleTask(deadline: next.due) {
            self.isScheduled = false
            self.deliver()
        }
    }
}
