// SPDX-License-Identifier: Apache-2.0

/// A type that can be a parameter of a statement.
///
/// Parameters travel apart from the statement's text, so nothing in them can change what the statement means. `nil` is
/// NULL. The types that ``PostgresDecodable`` lists conform.
public protocol PostgresEncodable: Sendable {
    /// Writes the value once, in a form that suits ``PostgresParameterWriter/type``.
    ///
    /// - Throws: An error if the value cannot be expressed, see ``PostgresParameterWriter/error(_:)``.
    func encode(into parameter: inout PostgresParameterWriter) throws

    /// Writes an array. There is a default implementation; that of `UInt8` writes `bytea`.
    static func encodeArray(_ array: [Self], into parameter: inout PostgresParameterWriter) throws
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        if let self { try self.encode(into: &parameter) } else { parameter.writeNull() }
    }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        try rawValue.encode(into: &parameter)
    }
}
