// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Finds messages in one direction of a database's protocol, and spoils them.
protocol WireFormat: Sendable {
    /// - Parameter isReply: Whether the direction is from the server to the client.
    init(isReply: Bool)

    /// Returns the index after the message that begins at `start`, or `nil` if the message is incomplete. The next call
    /// after a complete message is for the message that follows it.
    ///
    /// - Throws: ``MalformedMessage``
    mutating func end(of bytes: ByteBufferView, from start: Int) throws -> Int?

    /// Changes a byte so that the result cannot be parsed as a complete message.
    func spoilFraming(of message: inout ByteBuffer, using random: inout SeededRandom)

    /// Returns where a reply has the value that a caller has asked for. A changed byte in it is noticed by its checksum
    /// only.
    func content(of message: ByteBuffer) -> Range<Int>?

    /// Whether the sender of a message relies on the server having dealt with it when the connection ends. Such a message
    /// must not arrive after the sender has seen the end.
    func mustNotBeLate(_ message: ByteBuffer) -> Bool
}

extension WireFormat {
    func mustNotBeLate(_ message: ByteBuffer) -> Bool { false }
}

/// Bytes that are not a message.
struct MalformedMessage: Error {}
