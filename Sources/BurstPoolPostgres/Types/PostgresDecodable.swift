// SPDX-License-Identifier: Apache-2.0

/// A type that can be read from a column of a row.
///
/// `Bool`, the integers, `Double`, `Float`, `String`, `[UInt8]`, `Data`, `UUID`, `Date`, `Decimal`, ``PostgresJSON``, and
/// optionals and arrays of them conform. An enumeration with raw values conforms if its raw values do:
///
/// ```swift
/// enum Mood: String, PostgresCodable { case happy, sad }
/// ```
public protocol PostgresDecodable {
    /// Reads a value that is not NULL.
    ///
    /// - Throws: ``PostgresValue/error(_:)`` if the value is not one of this type.
    init(from value: PostgresValue) throws

    /// Reads a value, or NULL. The default implementation throws for NULL; that of `Optional` returns `nil`.
    static func decode(_ value: PostgresValue?) throws -> Self

    /// Reads an array. There is a default implementation; that of `UInt8` reads `bytea`.
    static func decodeArray(_ value: PostgresValue) throws -> [Self]
}

/// A type that can be a parameter and can be read from a row.
public typealias PostgresCodable = PostgresEncodable & PostgresDecodable

extension PostgresDecodable {
    @inlinable
    public static func decode(_ value: PostgresValue?) throws -> Self {
        guard let value else { throw PostgresValueError.null(Self?.self) }
        return try Self(from: value)
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    @inlinable
    public init(from value: PostgresValue) throws {
        self = try Wrapped(from: value)
    }

    @inlinable
    public static func decode(_ value: PostgresValue?) throws -> Wrapped? {
        guard let value else { return nil }
        return try Wrapped.decode(value)
    }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    public init(from value: PostgresValue) throws {
        let rawValue = try RawValue(from: value)
        guard let decoded = Self(rawValue: rawValue) else {
            throw value.error("\"\(rawValue)\" is not one of the values of \(Self.self)")
        }
        self = decoded
    }
}
