@testable import BurstPoolRedis

/// What must hold for all bytes that are taken for the replies of a server.
///
/// - However they are cut into pieces, the same replies come out, and the same error.
/// - The error is a `.protocolError`.
/// - Each reply is what its bytes spell, all of them and no more: up to where it ends they are that reply, without the last
///   of them they are not, and the bytes behind it are the replies that follow.
/// - Replies, encoded again, are the same replies.
/// - Memory is taken for what has come, not for what was announced.
struct ReplyProperties {
    let wire: [UInt8]

    private struct Limits {
        var reply = 1 << 20
        var line = ReplyReader.maximumLineBytes
    }

    func check() throws {
        // Some that nothing in here comes up to, and some that much does.
        let least = RedisConfiguration.maximumReplyBytesRange.lowerBound
        for limits in [Limits(), Limits(reply: least), Limits(line: 40)] {
            let byByte = read(wire[...], limits) { 1 }
            try checkCuts(byByte, limits)
            try checkEnds(byByte, limits)
            try checkSpelling(byByte)
            try checkReplies(byByte.replies)
            if let error = byByte.error {
                try require(error.code == .protocolError, "the code of the error is \(error.code)")
            }
        }
    }

    private func read(_ wire: ArraySlice<UInt8>, _ limits: Limits, piece: () -> Int = { .max }) -> Reading {
        Reading(Array(wire), limit: limits.reply, lineLimit: limits.line, piece: piece)
    }

    private func checkCuts(_ byByte: Reading, _ limits: Limits) throws {
        var random = SeededRandom(from: wire)
        let cuts: [(name: String, piece: () -> Int)] = [
            ("in one piece", { .max }),
            ("in small pieces", { random.number(1...8) }),
            ("in pieces", { random.number(1...200) }),
        ]
        for cut in cuts {
            let reading = read(wire[...], limits, piece: cut.piece)
            try require(
                reading.replies == byByte.replies && reading.error == byByte.error,
                "read \(cut.name): \(reading.summary); byte by byte: \(byByte.summary)"
            )
            try require(
                reading.growth <= 8 << 20 + 64 * wire.count,
                "\(wire.count) bytes, read \(cut.name), took \(reading.growth) bytes of memory"
            )
        }
    }

    private func checkEnds(_ byByte: Reading, _ limits: Limits) throws {
        // All of them would be quadratic.
        var random = SeededRandom(from: wire)
        for number in Set([0, byByte.ends.count - 1, random.number(0...max(byByte.ends.count - 1, 0))])
        where byByte.ends.indices.contains(number) {
            let end = byByte.ends[number]
            let upToHere = read(wire[..<end], limits)
            try require(
                upToHere.replies == Array(byByte.replies[...number]) && upToHere.error == nil,
                "reply \(number) does not end at byte \(end)"
            )
            let short = read(wire[..<(end - 1)], limits)
            try require(
                short.replies.count == number && short.error == nil,
                "reply \(number) ends before byte \(end)"
            )
            let behind = read(wire[end...], limits)
            try require(
                behind.replies == Array(byByte.replies[(number + 1)...]) && behind.error == byByte.error,
                "behind byte \(end), where reply \(number) ends: \(behind.summary); all: \(byByte.summary)"
            )
        }
    }

    private func checkSpelling(_ byByte: Reading) throws {
        var start = 0
        for (number, (reply, end)) in zip(byByte.replies, byByte.ends).enumerated() {
            try require(
                reply.rest(of: wire[start..<end])?.isEmpty == true,
                "reply \(number) is \(reply), but bytes \(start) to \(end) are something else"
            )
            start = end
        }
    }

    private func checkReplies(_ replies: [RedisReply]) throws {
        let again = Reading(replies.flatMap(\.wire), limit: 1 << 30)
        try require(again.replies == replies && again.error == nil, "encoded again: \(again.summary)")
        for reply in replies {
            // That they trap on nothing.
            _ = (reply.string, reply.bytes, reply.integer, reply.double, reply.array, reply.error?.serverCode)
            try require((try? reply.get()) == nil ? reply.error != nil : reply.error == nil, "get() and error disagree")
        }
    }
}
