import NIOCore

/// What can be an argument of a Redis command.
///
/// Redis knows only strings of bytes. Text is sent as UTF-8, numbers in decimal digits, bytes as they are: every byte is
/// allowed, zero and line ends included.
///
/// Strings, arrays of bytes, `ByteBuffer`s and numbers conform. Make a type of yours conform if it is often an argument.
public protocol RedisArgument: Sendable {
    /// How many bytes ``writeRedisArgument(to:)`` writes, or an upper bound that is not far off.
    ///
    /// Serves to refuse what is too long, before any memory is asked for.
    var redisByteCount: Int { get }

    /// Appends the bytes of the argument, without anything around them.
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
    /// Enough for every integer up to 64 bits, sign included.
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
    /// Swift's shortest description of a `Double` that reads back as the same value has at most 24 characters.
    public var redisByteCount: Int { 24 }

    public func writeRedisArgument(to buffer: inout ByteBuffer) {
        buffer.writeString(description)
    }
}
