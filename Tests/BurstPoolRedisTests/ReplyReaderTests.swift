// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPoolRedis

@Suite("The reader of replies", .timeLimit(.minutes(5)))
struct ReplyReaderTests {
    @Test("Random replies that are split into random pieces are read correctly")
    func randomReplies() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let replies = (0..<20).map { _ in RedisReply.random(depth: 7, using: &generator) }
            let wire = replies.flatMap(\.wire)
            let reader = ReplyReader(maximumReplyBytes: 1 << 20)
            var received: [RedisReply] = []
            var rest = wire[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...(Bool.random(using: &generator) ? 3 : 30_000)))
                rest = rest.dropFirst(piece.count)
                try piece.withUnsafeBytes { bytes in
                    try reader.read(bytes) {
                        received.append($0)
                        return true
                    }
                }
            }
            try #require(received == replies)
        }
    }

    @Test("Replies with random damage are read or refused, and never cause a trap")
    func damagedReplies() {
        var generator = SystemRandomNumberGenerator()
        var (read, refused) = (0, 0)
        for _ in 0..<5_000 {
            var wire = (0..<3).flatMap { _ in RedisReply.random(depth: 3, using: &generator).wire }
            for _ in 0..<Int.random(in: 1...3) {
                let interesting = Array("$*:+-0123456789\r\n".utf8) + [UInt8.random(in: 0...255)]
                wire[Int.random(in: 0..<wire.count)] = interesting[Int.random(in: 0..<interesting.count)]
            }
            let reader = ReplyReader(maximumReplyBytes: 1 << 20)
            do {
                try wire.withUnsafeBytes { bytes in try reader.read(bytes) { _ in true } }
                read += 1
            } catch {
                #expect((error as? RedisError)?.code == .protocolError)
                refused += 1
            }
        }
        #expect(read > 0 && refused > 0)
    }

    @Test(
        "A reply of the maximum length is read, and a longer one is refused, however the bytes are split",
        arguments: [1, 7, 1_000, 100_000]
    )
    func limits(piece: Int) throws {
        func outcome(_ wire: String, replyLimit: Int = 4_096, lineLimit: Int = 256) -> String? {
            let reader = ReplyReader(maximumReplyBytes: replyLimit, maximumLineBytes: lineLimit)
            var rest = Array(wire.utf8)[...]
            while !rest.isEmpty {
                let error = rest.prefix(piece).withUnsafeBytes { bytes -> RedisError? in
                    do throws(RedisError) {
                        try reader.read(bytes) { _ in true }
                        return nil
                    } catch {
                        return error
                    }
                }
                if let error { return error.message }
                rest = rest.dropFirst(piece)
            }
            return nil
        }
        func bulk(_ count: Int) -> String { "$\(count)\r\n" + String(repeating: "x", count: count) + "\r\n" }

        // The length and the two line ends take nine bytes.
        #expect(outcome(":1\r\n" + bulk(4_087)) == nil)
        #expect(outcome(":1\r\n" + bulk(4_088))?.contains("limit of 4096 bytes") == true)
        #expect(outcome(":1\r\n" + bulk(5_000))?.contains("limit of 4096 bytes") == true)
        let array = "*2\r\n" + bulk(2_000) + bulk(2_100)
        #expect(outcome(array, replyLimit: array.utf8.count) == nil)
        #expect(outcome(array, replyLimit: array.utf8.count - 1)?.contains("A reply is longer") == true)

        #expect(outcome("+" + String(repeating: "x", count: 255) + "\r\n+OK\r\n") == nil)
        #expect(outcome("+" + String(repeating: "x", count: 256) + "\r\n")?.contains("a line is longer") == true)
        #expect(outcome(bulk(300) + "-" + String(repeating: "x", count: 255) + "\r\n" + bulk(300)) == nil)
    }

    @Test("The reader stops when the receiver returns false")
    func stops() throws {
        let reader = ReplyReader(maximumReplyBytes: 1 << 20)
        var received: [RedisReply] = []
        try Array(":1\r\n:2\r\n:3\r\n".utf8).withUnsafeBytes { bytes in
            try reader.read(bytes) {
                received.append($0)
                return received.count < 2
            }
        }
        #expect(received == [.integer(1), .integer(2)])
    }

    @Test("The limit applies to each reply, not to their sum")
    func limitIsPerReply() throws {
        let reader = ReplyReader(maximumReplyBytes: 2_000)
        let wire = RedisReply.bulkString([UInt8](repeating: 7, count: 1_900)).wire
        var count = 0
        for _ in 0..<100 {
            try (wire + wire).withUnsafeBytes { bytes in
                try reader.read(bytes) { _ in
                    count += 1
                    return true
                }
            }
        }
        #expect(count == 200)
    }
}

extension RedisReply {
    fileprivate static func random(depth: Int, using generator: inout some RandomNumberGenerator) -> RedisReply {
        switch Int.random(in: 0...(depth > 0 ? 7 : 5), using: &generator) {
        case 0: .null
        case 1: .integer(Int.random(in: .min ... .max, using: &generator))
        case 2: .simpleString(String(repeating: "ok", count: Int.random(in: 0...20, using: &generator)))
        case 3: .error(RedisError(.serverError, "ERR \(Int.random(in: 0...9, using: &generator))"))
        case 4: .bulkString((0..<Int.random(in: 0...40, using: &generator)).map { _ in UInt8.random(in: 0...255) })
        case 5: .bulkString([UInt8](repeating: 13, count: Int.random(in: 0...5_000, using: &generator)))
        default:
            .array(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in random(depth: depth - 1, using: &generator) }
            )
        }
    }

    /// The reply as a server sends it.
    fileprivate var wire: [UInt8] {
        switch self {
        case .simpleString(let text): Array("+\(text)\r\n".utf8)
        case .error(let error): Array("-\(error.message)\r\n".utf8)
        case .integer(let value): Array(":\(value)\r\n".utf8)
        case .bulkString(let bytes): Array("$\(bytes.count)\r\n".utf8) + bytes + Array("\r\n".utf8)
        case .array(let elements): Array("*\(elements.count)\r\n".utf8) + elements.flatMap(\.wire)
        case .null: Array((Bool.random() ? "$-1\r\n" : "*-1\r\n").utf8)
        }
    }
}
