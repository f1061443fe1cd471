// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A value that can be an argument of a Redis command.
///
/// Redis arguments are byte strings. Text is sent as UTF-8, numbers as decimal digits, and bytes unchanged; all byte
/// values are allowed, including zero and line ends.
///
/// Strings, byte arrays, `ByteBuffer`s and numbers conform. Conform a type of your own if it is often used as an
/// argument.
public protocol RedisArgument: Sendable {
    /// The number of bytes that ``writeRedisArgument(to:)`` writes, or a close upper bound.
    ///
    /// Used to refuse arguments that are too long before memory is allocated for them.
    var redisByteCount: Int { get }

    /// Appends the bytes of the argument, without any framing.
    func writeRedisArgument(to buffer: inout ByteBuffer)
}

extension String: RedisArgument {
    public var redisByteCount: Int { utf8.count }

    public func writeRedisArgument(to buffer: inout ByteBuffer) {
        buffer.writeString(self)
    }
}

extension Substring: RedisArgument {
    public var redisByteCount: Int { utf8.count }

    public func writeRedisArgument(to buffer: inout ByteBuffer) {
        buffer.writeSubstring(self)
    }
}

extension [UInt8]: RedisArgument {
    public var redisByteCount: Int { count }

    public func writeRedisArgument(to buffer: inout ByteBuffer) {
        buffer.writeBytes(self)
    }
}

extension ArraySlice<UInt8>: RedisArgument {
    public var redisByteCount: Int { count }

    public func writeRedisArgument(to buffer: inout ByteBuffer) {
        buffer.writeBytes(self)
    }
}

/// The readable bytes of the buffer are the argument.
extension ByteBuffer: RedisArgument {
    public var redisByteCount: Int { readableBytes }

    public func writeRedisArgument(to buffer: inout ByteBuffer) {
        buffer.writeImmutableBuffer(self)
    }
}

extension RedisArgument where Self: FixedWidthInteger {
    /// 20, which is enough for every integer of up to 64 bits with its sign.
    public var redisByteCount: Int { 20 }

    public func writeRedisArgument(to buffer: inout ByteBuffer) {
        buffer.writeString(String(self))
    }
}

extension Int: RedisArgument {}
extension Int64: RedisArgument {}
extension Int32: RedisArgument {}
extension UInt: RedisArgument {}
extension UInt64: RedisArgument {}
extension UInt32: RedisArgument {}

extension Double: RedisArgument {
    /// 24, the maximum length of the shortest description that reads back as the same value.
    public var redisByteCount: Int { 24 }

    public func writeRedisArgument(to buffer: inout ByteBuffer) {
        buffer.writeString(description)
    }
}
