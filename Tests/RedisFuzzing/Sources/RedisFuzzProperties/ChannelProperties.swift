// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolRedis
import FuzzHarness
import NIOCore
import NIOEmbedded

/// The properties that must hold for a channel that receives any bytes, split in any way, while commands are in progress.
///
/// - Each command gets all of its own replies, exactly once; or it fails.
/// - Bytes that are not a reply, and replies to no command, close the channel, and the reason says so.
/// - Nothing else closes the channel. When it closes, the commands in progress fail.
struct ChannelProperties {
    let wire: [UInt8]

    /// The results of the exchanges, in their order.
    private final class Outcomes: @unchecked Sendable {
        // Accessed by one thread only: an embedded event loop runs on the thread that calls it.
        var results: [Result<[RedisReply], any Error>?] = []
        var hasEndedTwice = false

        func receive(_ result: Result<[RedisReply], any Error>, of index: Int) {
            if results[index] != nil { hasEndedTwice = true }
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

        // There may be fewer or more commands than replies.
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
            // A closed channel takes no more bytes.
            guard channel.isActive else { break }
            try channel.writeInbound(ByteBuffer(bytes: piece))
        }

        let asked = counts.reduce(0, +)
        let isWrong = reading.replies.count > asked || reading.error != nil
        try require(
            handler.isClosed == isWrong,
            "isClosed is \(handler.isClosed) after \(reading.summary) for \(asked) commands."
        )
        if isWrong {
            try require(
                handler.closeReason?.code == .protocolError,
                "The reason is \(String(describing: handler.closeReason))."
            )
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        try require(handler.isClosed && handler.hasEnded, "The channel has closed, and the handler has not noticed.")
        try check(outcomes, counts, reading)
        try checkAfterTheEnd(handler)
    }

    private func check(_ outcomes: Outcomes, _ counts: [Int], _ reading: Reading) throws {
        try require(!outcomes.hasEndedTwice, "An exchange has ended twice.")
        var replies = reading.replies[...]
        let code = reading.error == nil ? RedisError.Code.connectionClosed : .protocolError
        for (index, (count, result)) in zip(counts, outcomes.results).enumerated() {
            guard let result else { throw Violation("Exchange \(index) has not ended.") }
            switch result {
            case .success(let found):
                try require(found == Array(replies.prefix(count)), "Exchange \(index) got replies to other commands.")
                try require(found.count == count, "Exchange \(index) got \(found.count) of \(count) replies.")
            case .failure(let error):
                try require(
                    replies.count < count,
                    "Exchange \(index) failed although all its replies arrived: \(error)"
                )
                try require((error as? RedisError)?.code == code, "Exchange \(index) failed with \(error).")
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
            throw Violation("A command on a closed channel ended with \(String(describing: outcomes.results[0])).")
        }
    }
}
