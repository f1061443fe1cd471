// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// A value in a row, as the server sent it. It is not NULL.
///
/// Types that conform to ``PostgresDecodable`` read it.
public struct PostgresValue {
    /// The bytes, in the format that ``isBinary`` tells. They exist as long as ``owner`` does.
    @usableFromInline let storage: UnsafeRawBufferPointer
    @usableFromInline let owner: QueryResult
    /// The type that the server gives for the value.
    public let type: PostgresType
    /// Whether the value is in PostgreSQL's binary format. Otherwise it is text.
    public let isBinary: Bool

    @inlinable
    init(bytes: UnsafeRawBufferPointer, type: PostgresType, isBinary: Bool, owner: QueryResult) {
        storage = bytes
        self.type = type
        self.isBinary = isBinary
        self.owner = owner
    }

    /// The number of bytes.
    @inlinable
    public var count: Int { storage.count }

    /// Calls a closure with the bytes, which it must not keep.
    @inlinable
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(owner) {} }
        return try body(storage)
    }

    /// The text that the server sent, or the text that a binary value stands for.
    ///
    /// - Throws: If the type has a binary format that is not text, such as `bytea`, or the bytes are not UTF-8.
    public var text: String {
        get throws { try String(from: self) }
    }

    /// An error for a value that cannot be read, to be thrown by an implementation of ``PostgresDecodable``. Its description
    /// will name the column and the types.
    public func error(_ reason: String? = nil) -> any Error {
        PostgresValueError(reason: reason)
    }

    @usableFromInline
    var wrongLength: any Error { error("it has \(count) bytes") }

    /// The bytes as text, without a look at the type.
    @usableFromInline
    var rawText: String {
        get throws {
            let (text, isValid) = withBytes { bytes in
                // String(validating:as:) is generic code at run time and takes several times as long. This initializer
                // replaces what is not valid UTF-8, which then differs from the bytes.
                var text = String(decoding: bytes.assumingMemoryBound(to: UInt8.self), as: UTF8.self)
                let isValid = text.withUTF8 { utf8 in
                    utf8.count == bytes.count
                        && (bytes.isEmpty || memcmp(utf8.baseAddress!, bytes.baseAddress!, bytes.count) == 0)
                }
                return (text, isValid)
            }
            guard isValid else { throw error("it is not valid UTF-8") }
            return text
        }
    }

    /// The integer in the first bytes, which are in network byte order. There must be as many bytes.
    @inlinable
    func integer<Integer: FixedWidthInteger>(_ type: Integer.Type, at offset: Int = 0) throws -> Integer {
        guard offset >= 0, offset + MemoryLayout<Integer>.size <= count else { throw error("it is too short") }
        return Integer(bigEndian: withBytes { $0.loadUnaligned(fromByteOffset: offset, as: Integer.self) })
    }

    /// The integer that the value consists of.
    @inlinable
    func wholeInteger<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Integer {
        guard count == MemoryLayout<Integer>.size else { throw wrongLength }
        return Integer(bigEndian: withBytes { $0.loadUnaligned(as: Integer.self) })
    }

    /// A part of the bytes, as a value of its own.
    func part(_ range: Range<Int>, type: PostgresType) throws -> PostgresValue {
        guard range.lowerBound >= 0, range.upperBound <= count else { throw error("it is too short") }
        return PostgresValue(
            bytes: UnsafeRawBufferPointer(rebasing: storage[range]),
            type: type,
            isBinary: isBinary,
            owner: owner
        )
    }
}

/// A value cannot be read as a type. Becomes a ``PostgresError`` when the column is known.
@usableFromInline
struct PostgresValueError: Error {
    /// What is wrong with the value; `nil` if the type does not suit.
    var reason: String?

    /// The value is NULL, and the type that allows for it is another one.
    @usableFromInline
    static func null(_ optional: Any.Type) -> any Error {
        PostgresValueError(reason: "the value is NULL. Read it as \(optional) if NULL is possible")
    }

    func error(column: String, type: PostgresType, target: Any.Type) -> PostgresError {
        let message = "Column \"\(column)\" of type \(type) cannot be read as \(target)"
        return PostgresError(.invalidValue, reason.map { "\(message): \($0)." } ?? "\(message).")
    }
}
