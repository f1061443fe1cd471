// SPDX-License-Identifier: Apache-2.0

import CHiredis

/// Parses the bytes of a server into replies with hiredis's reader.
///
/// Not thread-safe: each channel has its own reader and uses it on its event loop. The reader must not be used any more
/// after the first error.
final class ReplyReader {
    private var reader: UnsafeMutablePointer<redisReader>
    private let builder: ReplyBuilder
    private let maximumReplyBytes: Int
    private let maximumLineBytes: Int

    /// The number of bytes that have arrived since the last complete reply.
    private var bytesOfReply = 0

    /// The maximum of ``bytesOfReply`` since the reader was created.
    private var longestReply = 0

    /// The maximum number of bytes to give to hiredis at once. hiredis moves the rest of its buffer to the front about
    /// once for each KiB that it has consumed, so the buffer should be a small multiple of that.
    static let feedBytes = 16 * 1024

    /// The maximum length of a line: a status, an error, an integer or a length. Only errors of scripts are ever longer
    /// than a few hundred bytes.
    static let maximumLineBytes = 1024 * 1024

    /// hiredis does not free the memory that a long reply has needed, so the reader is replaced after a longer reply
    /// than this.
    private static let keptBytes = 1024 * 1024

    init(maximumReplyBytes: Int, maximumLineBytes: Int = ReplyReader.maximumLineBytes) {
        self.maximumReplyBytes = maximumReplyBytes
        self.maximumLineBytes = maximumLineBytes
        builder = ReplyBuilder()
        reader = Self.makeReader(for: builder)
    }

    deinit {
        redisReaderFree(reader)
    }

    private static func makeReader(for builder: ReplyBuilder) -> UnsafeMutablePointer<redisReader> {
        guard let reader = redisReaderCreateWithFunctions(ReplyBuilder.functions) else {
            fatalError("There is not enough memory for the parser of a Redis connection.")
        }
        reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
        return reader
    }

    /// Parses bytes as they came from the server, and calls `receive` for each reply that they complete.
    ///
    /// - Parameter receive: Called with a reply. Returns `false` to stop the parser.
    /// - Throws: ``RedisError/Code/protocolError``. The replies before the error have been received.
    /// - Complexity: O(*n*) in the number of bytes, however they are split, as long as the pieces are not much smaller
    ///   than a line.
    func read(_ bytes: UnsafeRawBufferPointer, receive: (RedisReply) -> Bool) throws(RedisError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(try room())
            rest = rest.dropFirst(piece.count)
            guard try readPiece(UnsafeRawBufferPointer(rebasing: piece), receive) else { return }
        }
    }

    /// The number of bytes that hiredis may be given before the limits must be checked again. Limits are noticed even
    /// if the item that exceeds them is complete, so the result does not depend on how the bytes were split.
    private func room() throws(RedisError) -> Int {
        guard bytesOfReply < maximumReplyBytes else { throw replyIsTooLong }
        let pending = chiredis_pending_length(reader)
        let bulk = Int(chiredis_pending_bulk_length(reader))
        // A line may begin behind the missing bytes of a bulk string. The pending bytes contain the length of the bulk
        // string too, so the true number of missing bytes is a little larger.
        let upToLine = bulk < 0 ? 0 : max(bulk + 2 - pending, 0)
        let line = upToLine > 0 ? maximumLineBytes + 1 : max(maximumLineBytes + 1 - pending, 1)
        return min(Self.feedBytes, maximumReplyBytes - bytesOfReply, upToLine + line)
    }

    private func readPiece(_ piece: UnsafeRawBufferPointer, _ receive: (RedisReply) -> Bool) throws(RedisError) -> Bool
    {
        bytesOfReply += piece.count
        longestReply = max(longestReply, bytesOfReply)
        guard redisReaderFeed(reader, piece.baseAddress, piece.count) == REDIS_OK else { throw failure }
        while let reply = try nextReply() {
            bytesOfReply = chiredis_pending_length(reader)
            guard receive(reply) else { return false }
        }
        if bytesOfReply == 0, longestReply > Self.keptBytes {
            redisReaderFree(reader)
            reader = Self.makeReader(for: builder)
            longestReply = 0
        }
        return true
    }

    private func nextReply() throws(RedisError) -> RedisReply? {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw failure }
        guard object != nil else {
            try checkPending()
            return nil
        }
        guard let reply = builder.takeReply() else { throw Self.malformed(ReplyBuilder.unknownType) }
        return reply
    }

    /// Refuses a reply that is going to be too long before it has arrived completely.
    private func checkPending() throws(RedisError) {
        let announced = chiredis_pending_bulk_length(reader)
        guard announced <= maximumReplyBytes else { throw replyIsTooLong }
        if announced < 0, chiredis_pending_length(reader) > maximumLineBytes {
            throw Self.malformed("a line is longer than \(maximumLineBytes) bytes")
        }
    }

    // MARK: - Errors

    private var replyIsTooLong: RedisError {
        let text =
            "A reply is longer than the limit of \(maximumReplyBytes) bytes. Raise maximumReplyBytes if it is valid."
        return RedisError(.protocolError, text)
    }

    private var failure: RedisError {
        if let failure = builder.failure { return Self.malformed(failure) }
        let text = withUnsafeBytes(of: reader.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard !text.contains("nested") else {
            // "No support for nested multi bulk replies with depth > 7". Later versions of hiredis support 9 levels.
            let depth = text.split(separator: " ").last ?? "7"
            let message =
                "A reply is nested too deeply for this client: its parser, hiredis, supports \(depth) levels of arrays."
            return RedisError(.protocolError, message)
        }
        return Self.malformed(text)
    }

    private static func malformed(_ reason: String) -> RedisError {
        RedisError(.protocolError, "The server sent bytes that are not Redis's protocol: \(reason).")
    }
}
