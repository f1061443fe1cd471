import CHiredis

/// Turns the bytes that a server sends into replies, by hiredis's reader.
///
/// Not thread-safe: each channel has one, and uses it on its event loop. After the first error it is of no more use.
final class ReplyReader {
    private var reader: UnsafeMutablePointer<redisReader>
    private let builder: ReplyBuilder
    private let maximumReplyBytes: Int
    private let maximumLineBytes: Int

    /// How many bytes have come since the last complete reply.
    private var bytesOfReply = 0

    /// The most that ``bytesOfReply`` has been since the reader was made.
    private var longestReply = 0

    /// hiredis moves what is left of its buffer to the front about once for each KiB that it has consumed, so what it
    /// holds at a time should be a small multiple of that.
    static let feedBytes = 16 * 1024

    /// Status, errors, integers and lengths come as lines. Only errors of a script are ever longer than a few hundred
    /// bytes.
    static let maximumLineBytes = 1024 * 1024

    /// hiredis does not give memory back that one long reply made it take, so after such a reply it is made anew.
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
            fatalError("out of memory")
        }
        reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
        return reader
    }

    /// Takes bytes as they came from the server, and calls `receive` for each reply that they complete.
    ///
    /// - Parameter receive: Called with a reply. It returns `false` if no more should be read.
    /// - Throws: ``RedisError/Code/protocolError``. The replies before it have been received.
    /// - Complexity: O(*n*) in the bytes, however they are cut, as long as pieces are not much smaller than a line.
    func read(_ bytes: UnsafeRawBufferPointer, receive: (RedisReply) -> Bool) throws(RedisError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(try room())
            rest = rest.dropFirst(piece.count)
            guard try readPiece(UnsafeRawBufferPointer(rebasing: piece), receive) else { return }
        }
    }

    /// How many bytes hiredis may be fed before the limits are checked again: so many that none is passed unnoticed, even if
    /// what is too long is complete. Thus it does not matter how the bytes were cut when they came.
    private func room() throws(RedisError) -> Int {
        guard bytesOfReply < maximumReplyBytes else { throw replyIsTooLong }
        let pending = chiredis_pending_length(reader)
        let bulk = Int(chiredis_pending_bulk_length(reader))
        // Behind what is missing of a bulk string, or a little less, for its length precedes it, a line may begin.
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
        guard let reply = builder.takeReply() else {
            throw Self.protocolError("a reply of a type that is not in version 2 of the protocol")
        }
        return reply
    }

    /// Refuses what is going to be too long, now rather than when it has come.
    private func checkPending() throws(RedisError) {
        let announced = chiredis_pending_bulk_length(reader)
        guard announced <= maximumReplyBytes else { throw replyIsTooLong }
        if announced < 0, chiredis_pending_length(reader) > maximumLineBytes {
            throw Self.protocolError("a line is longer than \(maximumLineBytes) bytes")
        }
    }

    private var replyIsTooLong: RedisError {
        Self.protocolError("a reply is longer than the limit of \(maximumReplyBytes) bytes")
    }

    private var failure: RedisError {
        if let failure = builder.failure { return Self.protocolError(failure) }
        let text = withUnsafeBytes(of: reader.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return Self.protocolError(text)
    }

    private static func protocolError(_ what: String) -> RedisError {
        RedisError(.protocolError, "the server sent what is not Redis's protocol: \(what)")
    }
}
