@testable import BurstPoolRedis

/// What a reader makes of bytes.
struct Reading {
    private(set) var replies: [RedisReply] = []
    /// How many bytes had been fed when each reply was complete.
    private(set) var ends: [Int] = []
    private(set) var error: RedisError?
    /// By how many bytes the process has grown meanwhile, with the reader and all that it holds.
    private(set) var growth = 0

    /// - Parameters:
    ///   - limit: How many bytes a reply may have.
    ///   - lineLimit: How many bytes a line may have.
    ///   - piece: How many bytes to feed next; by default all.
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

    /// For messages.
    var summary: String {
        "\(replies.count) replies" + (error.map { ", then \($0)" } ?? "")
    }
}
