// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolRedis
import FuzzHarness

/// The properties that must hold for all bytes that a server may send.
///
/// - The replies and the error do not depend on how the bytes are split.
/// - The error is a `.protocolError`.
/// - Each reply uses exactly its bytes: without the last of them it is incomplete, and the bytes after it are the replies
///   that follow.
/// - Replies that are encoded again are the same replies.
/// - Memory is allocated for bytes that have arrived, not for lengths that were announced.
struct ReplyProperties {
    let wire: [UInt8]

    private struct Limits {
        var reply = 1 << 20
        var line = ReplyReader.maximumLineBytes
    }

    func check() throws {
        // Limits that the input does not reach, and limits that it often exceeds.
        let least = RedisConfiguration.maximumReplyBytesRange.lowerBound
        for limits in [Limits(), Limits(reply: least), Limits(line: 40)] {
            let byByte = read(wire[...], limits) { 1 }
            try checkCuts(byByte, limits)
            try checkEnds(byByte, limits)
            try checkSpelling(byByte)
            try checkReplies(byByte.replies)
            if let error = byByte.error {
                try require(error.code == .protocolError, "The code of the error is \(error.code).")
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
                "Read \(cut.name): \(reading.summary). Read byte by byte: \(byByte.summary)."
            )
            try require(
                reading.growth <= 8 << 20 + 64 * wire.count,
                "Reading \(wire.count) bytes \(cut.name) allocated \(reading.growth) bytes."
            )
        }
    }

    private func checkEnds(_ byByte: Reading, _ limits: Limits) throws {
        // Checking all replies would take quadratic time.
        var random = SeededRandom(from: wire)
        for number in Set([0, byByte.ends.count - 1, random.number(0...max(byByte.ends.count - 1, 0))])
        where byByte.ends.indices.contains(number) {
            let end = byByte.ends[number]
            let upToHere = read(wire[..<end], limits)
            try require(
                upToHere.replies == Array(byByte.replies[...number]) && upToHere.error == nil,
                "Reply \(number) does not end at byte \(end)."
            )
            let short = read(wire[..<(end - 1)], limits)
            try require(
                short.replies.count == number && short.error == nil,
                "Reply \(number) ends before byte \(end)."
            )
            let behind = read(wire[end...], limits)
            try require(
                behind.replies == Array(byByte.replies[(number + 1)...]) && behind.error == byByte.error,
                "After byte \(end), where reply \(number) ends: \(behind.summary). All: \(byByte.summary)."
            )
        }
    }

    private func checkSpelling(_ byByte: Reading) throws {
        var start = 0
        for (number, (reply, end)) in zip(byByte.replies, byByte.ends).enumerated() {
            try require(
                reply.rest(of: wire[start..<end])?.isEmpty == true,
                "Reply \(number) is \(reply), but bytes \(start) to \(end) encode something else."
            )
            start = end
        }
    }

    private func checkReplies(_ replies: [RedisReply]) throws {
        let again = Reading(replies.flatMap(\.wire), limit: 1 << 30)
        try require(again.replies == replies && again.error == nil, "Encoded again, the replies are: \(again.summary).")
        for reply in replies {
            // The accessors must not trap.
            _ = (reply.string, reply.bytes, reply.integer, reply.double, reply.array, reply.error?.serverCode)
            try require(
                (try? reply.get()) == nil ? reply.error != nil : reply.error == nil,
                "get() and error contradict each other."
            )
        }
    }
}
