import CHiredis
import NIOCore

/// Turns commands into the bytes that go to the server, by hiredis's formatter.
struct CommandEncoder {
    /// What is to be sent.
    private(set) var wire = ByteBuffer()

    /// What the commands, once sent, do to the state of the connection.
    private(set) var session: SessionState

    /// The arguments of one command, one after another.
    private var scratch = ByteBuffer()

    /// Where each argument ends in `scratch`.
    private var ends: [Int] = []

    /// How many bytes one call may send: 1 GiB. Redis takes 512 MiB for one argument.
    static let maximumBytes = 1 << 30

    init(session: SessionState) {
        self.session = session
    }

    /// Appends a command to ``wire``.
    ///
    /// - Throws: ``RedisError/Code/invalidCommand``. The encoder is then of no more use.
    mutating func append(_ arguments: [any RedisArgument]) throws(RedisError) {
        // To an empty command the server answers nothing at all.
        guard !arguments.isEmpty else { throw RedisError(.invalidCommand, "a command without a name") }
        try reserve(for: arguments)

        scratch.clear(minimumCapacity: 64)
        ends.removeAll(keepingCapacity: true)
        for argument in arguments {
            argument.writeRedisArgument(to: &scratch)
            ends.append(scratch.writerIndex)
        }
        try session.willSend(CommandWords(scratch: scratch, ends: ends))
        try format()
    }

    private mutating func reserve(for arguments: [any RedisArgument]) throws(RedisError) {
        var total = wire.readableBytes
        for argument in arguments {
            // Sixteen bytes hold the length of an argument and two line ends.
            let (sum, overflow) = total.addingReportingOverflow(argument.redisByteCount)
            guard !overflow, argument.redisByteCount >= 0, sum <= Self.maximumBytes - 16 else {
                throw RedisError(.invalidCommand, "what one call sends is limited to \(Self.maximumBytes) bytes")
            }
            total = sum + 16
        }
    }

    private mutating func format() throws(RedisError) {
        var formatted: UnsafeMutablePointer<CChar>?
        let length = scratch.withUnsafeReadableBytes { bytes -> Int in
            guard let base = bytes.baseAddress else { return 0 }
            return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: ends.count) { pointers in
                withUnsafeTemporaryAllocation(of: Int.self, capacity: ends.count) { lengths in
                    var start = 0
                    for (index, end) in ends.enumerated() {
                        pointers[index] = (base + start).assumingMemoryBound(to: CChar.self)
                        lengths[index] = end - start
                        start = end
                    }
                    return Int(
                        redisFormatSdsCommandArgv(
                            &formatted,
                            Int32(ends.count),
                            pointers.baseAddress,
                            lengths.baseAddress
                        )
                    )
                }
            }
        }
        guard length > 0, let formatted else { throw RedisError(.invalidCommand, "out of memory for the command") }
        defer { redisFreeSdsCommand(formatted) }
        wire.writeBytes(UnsafeRawBufferPointer(start: formatted, count: length))
    }
}
