/// A value in a row, as the server sent it. It is not NULL.
///
/// Types that conform to ``PostgresDecodable`` read it.
public struct PostgresValue {
    /// The bytes, in the format that ``isBinary`` tells. They exist as long as ``owner`` does.
    private let storage: UnsafeRawBufferPointer
    private let owner: QueryResult
    /// The type that the server gives for the value.
    public let type: PostgresType
    /// Whether the value is in PostgreSQL's binary format. Otherwise it is text.
    public let isBinary: Bool

    init(bytes: UnsafeRawBufferPointer, type: PostgresType, isBinary: Bool, owner: QueryResult) {
        storage = bytes
        self.type = type
        self.isBinary = isBinary
        self.owner = owner
    }

    /// The number of bytes.
    public var count: Int { storage.count }

    /// Calls a closure with the bytes, which it must not keep.
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

    /// The bytes as text, without a look at the type.
    var rawText: String {
        get throws {
            guard let text = withBytes({ String(validating: $0, as: UTF8.self) }) else {
                throw error("it is not valid UTF-8")
            }
            return text
        }
    }

    /// The integer in the first bytes, which are in network byte order. There must be as many bytes.
    func integer<Integer: FixedWidthInteger>(_ type: Integer.Type, at offset: Int = 0) throws -> Integer {
        guard offset >= 0, offset + MemoryLayout<Integer>.size <= count else { throw error("it is too short") }
        return Integer(bigEndian: withBytes { $0.loadUnaligned(fromByteOffset: offset, as: Integer.self) })
    }

    /// The integer that the value consists of.
    func wholeInteger<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Integer {
        guard count == MemoryLayout<Integer>.size else { throw error("it has \(count) bytes") }
        return try integer(type)
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
struct PostgresValueError: Error {
    /// What is wrong with the value; `nil` if the type does not suit.
    var reason: String?

    func error(column: String, type: PostgresType, target: Any.Type) -> PostgresError {
        let message = "Column \"\(column)\" of type \(type) cannot be read as \(target)"
        return PostgresError(.invalidValue, reason.map { "\(message): \($0)." } ?? "\(message).")
    }
}
