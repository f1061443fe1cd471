// SPDX-License-Identifier: Apache-2.0

import CHiredis
import NIOCore

/// Encodes commands for the server with hiredis's formatter.
struct CommandEncoder {
    /// The encoded commands.
    private(set) var wire = ByteBuffer()

    /// The state of the session after the commands have been executed.
    private(set) var session: SessionState

    /// The indices of the commands that restore a part of the session unless the server answers with an error.
    private(set) var restoringCommands: [Int] = []

    private var count = 0

    /// The arguments of one command, one after another.
    private var scratch = ByteBuffer()

    /// The end of each argument in `scratch`.
    private var ends: [Int] = []

    /// The maximum number of bytes that one call may send: 1 GiB. Redis limits one argument to 512 MiB.
    static let maximumBytes = 1 << 30

    init(session: SessionState) {
        self.session = session
    }

    /// Appends a command to ``wire``.
    ///
    /// - Throws: ``RedisError/Code/invalidCommand``. The encoder must not be used any more then.
    mutating func append(_ arguments: [any RedisArgument]) throws(RedisError) {
        // The server does not answer an empty command at all.
        guard !arguments.isEmpty else { throw RedisError(.invalidCommand, "The command has no name.") }
        try reserve(for: arguments)

        scratch.clear(minimumCapacity: 64)
        ends.removeAll(keepingCapacity: true)
        for argument in arguments {
            argument.writeRedisArgument(to: &scratch)
            ends.append(scratch.writerIndex)
        }
        if try session.willSend(CommandWords(scratch: scratch, ends: ends)) { restoringCommands.append(count) }
        count += 1
        try format()
    }

    private mutating func reserve(for arguments: [any RedisArgument]) throws(RedisError) {
        var total = wire.readableBytes
        for argument in arguments {
            // Sixteen bytes hold the length of an argument and two line ends.
            let (sum, overflow) = total.addingReportingOverflow(argument.redisByteCount)
            guard !overflow, argument.redisByteCount >= 0, sum <= Self.maximumBytes - 16 else {
                let message = "The commands of one call are longer than the limit of \(Self.maximumBytes) bytes."
                throw RedisError(.invalidCommand, message)
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
        guard length > 0, let formatted else {
            throw RedisError(.invalidCommand, "There is not enough memory to encode the command.")
        }
        defer { redisFreeSdsCommand(formatted) }
        wire.writeBytes(UnsafeRawBufferPointer(start: formatted, count: length))
    }
}
