// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Finds the ends of messages in Redis's protocol.
enum Framing {
    struct Malformed: Error {}

    /// Returns the index after the message that begins at `start`, or `nil` if the message is incomplete.
    ///
    /// - Throws: ``Malformed``
    static func end(of bytes: ByteBufferView, from start: Int) throws -> Int? {
        guard start < bytes.endIndex, let lineEnd = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else {
            return nil
        }
        let next = lineEnd + 1
        switch bytes[start] {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"): return next
        case UInt8(ascii: "$"):
            let length = try length(bytes[(start + 1)..<lineEnd])
            if length < 0 { return next }
            return next + length + 2 <= bytes.endIndex ? next + length + 2 : nil
        case UInt8(ascii: "*"):
            var position = next
            for _ in 0..<max(try length(bytes[(start + 1)..<lineEnd]), 0) {
                guard let end = try end(of: bytes, from: position) else { return nil }
                position = end
            }
            return position
        default: throw Malformed()
        }
    }

    private static func length(_ line: ByteBufferView) throws -> Int {
        guard let length = Int(String(decoding: line.dropLast(), as: UTF8.self)) else { throw Malformed() }
        return length
    }
}
