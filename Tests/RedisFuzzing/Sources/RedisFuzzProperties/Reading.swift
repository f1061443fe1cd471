// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolRedis

/// The result of reading bytes.
struct Reading {
    private(set) var replies: [RedisReply] = []
    /// The number of bytes that had been read when each reply was complete.
    private(set) var ends: [Int] = []
    private(set) var error: RedisError?
    /// The number of bytes by which the address space of the process has grown, including the reader.
    private(set) var growth = 0

    /// - Parameters:
    ///   - limit: The maximum number of bytes of a reply.
    ///   - lineLimit: The maximum number of bytes of a line.
    ///   - piece: Returns the number of bytes to read next. Default: all.
    init(
        _ wire: [UInt8],
        limit: Int,
        lineLimit: Int = ReplyReader.maximumLineBytes,
        piece: () -> Int = { .max }
    ) {
        let before = AddressSpace.size
        let reader = ReplyReader(maximumReplyBytes: limit, maximumLineBytes: lineLimit)
        var fed = 0
        while fed < wire.count, error == nil {
            let end = fed + min(max(piece(), 1), wire.count - fed)
            error = wire[fed..<end].withUnsafeBytes { bytes -> RedisError? in
                do throws(RedisError) {
                    try reader.read(bytes) { reply in
                        replies.append(reply)
                        ends.append(end)
                        return true
                    }
                    return nil
                } catch {
                    return error
                }
            }
            fed = end
        }
        withExtendedLifetime(reader) { growth = AddressSpace.size - before }
    }

    /// A summary for messages.
    var summary: String {
        "\(replies.count) replies" + (error.map { ", then \($0)" } ?? "")
    }
}
