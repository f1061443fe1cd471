@testable import BurstPoolRedis
import NIOCore
import NIOEmbedded

/// What must hold for a channel on which a server sends any bytes, however they are cut, while commands are under way.
///
/// - Each command gets its own replies, all of them, and gets them once; or it fails.
/// - After bytes that are no reply, or a reply that nobody asked for, the channel is closed, and says why.
/// - Nothing else closes it, and when it ends, what is under way fails.
struct ChannelProperties {
    let wire: [UInt8]

    /// What became of the exchanges, in their order.
    private final class Outcomes: @unchecked Sendable {
        // Touched on one thread only: an embedded event loop runs where it is called.
        var results: [Result<[RedisReply], any Error>?] = []
        var isAskedAgain = false

        func receive(_ result: Result<[RedisReply], any Error>, of index: Int) {
            if results[index] != nil { isAskedAgain = true }
            results[index] = result
        }
    }

    func check() throws {
        var random = SeededRandom(from: wire)
        let reading = Reading(wire, limit: 1 << 20)
        let channel = EmbeddedChannel()
        let handler = RedisChannelHandler(eventLoop: channel.eventLoop, maximumReplyBytes: 1 << 20)
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()

        // Sometimes too few for the replies, sometimes too many.
        let counts = (0..<random.number(0...4)).map { _ in random.number(1...3) }
        let outcomes = Outcomes()
        for (index, count) in counts.enumerated() {
            outcomes.results.append(nil)
            let exchange = Exchange(bytes: ByteBuffer(string: "\(index)"), count: count, timeout: nil)
            handler.submit(exchange) { outcomes.receive($0, of: index) }
        }
        var rest = wire[...]
        while !rest.isEmpty {
            let piece = rest.prefix(random.number(1...100))
            rest = rest.dropFirst(piece.count)
            // A channel that is closed takes no more.
            guard channel.isActive else { break }
            try channel.writeInbound(ByteBuffer(bytes: piece))
        }

        let asked = counts.reduce(0, +)
        let isWrong = reading.replies.count > asked || reading.error != nil
        try require(handler.isClosed == isWrong, "closed: \(handler.isClosed), after \(reading.summary) for \(asked)")
        if isWrong {
            try require(
                handler.closeReason?.code == .protocolError,
                "closed because \(String(describing: handler.closeReason))"
            )
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        try require(handler.isClosed && handler.hasEnded, "the channel has ended, and the handler does not know")
        try check(outcomes, counts, reading)
        try checkAfterTheEnd(handler)
    }

    private func check(_ outcomes: Outcomes, _ counts: [Int], _ reading: Reading) throws {
        try require(!outcomes.isAskedAgain, "an exchange has ended twice")
        var replies = reading.replies[...]
        let code = reading.error == nil ? RedisError.Code.connectionClosed : .protocolError
        for (index, (count, result)) in zip(counts, outcomes.results).enumerated() {
            guard let result else { throw Violation("exchange \(index) has not ended") }
            switch result {
            case .success(let found):
                try require(found == Array(replies.prefix(count)), "exchange \(index) got replies that are not its own")
                try require(found.count == count, "exchange \(index) got \(found.count) of \(count) replies")
            case .failure(let error):
                try require(replies.count < count, "exchange \(index) failed though all its replies came: \(error)")
                try require((error as? RedisError)?.code == code, "exchange \(index) failed with \(error)")
            }
            replies = replies.dropFirst(count)
        }
    }

    private func checkAfterTheEnd(_ handler: RedisChannelHandler) throws {
        let outcomes = Outcomes()
        outcomes.results = [nil]
        handler.submit(Exchange(bytes: ByteBuffer(string: "late"), count: 1, timeout: nil)) {
            outcomes.receive($0, of: 0)
        }
        guard case .failure(let error)? = outcomes.results[0], (error as? RedisError)?.code == .connectionClosed else {
            throw Violation("a command on a closed channel: \(String(describing: outcomes.results[0]))")
        }
    }
}
