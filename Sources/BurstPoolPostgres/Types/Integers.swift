// SPDX-License-Identifier: Apache-2.0

// Integers are sent in the binary format of the type that the server expects, and read from every type of numbers.

extension FixedWidthInteger {
    func encodeInteger(into parameter: inout PostgresParameterWriter) throws {
        switch parameter.type {
        case .int8: parameter.writeBinary(try fitting(Int64.self, parameter))
        case .int4: parameter.writeBinary(try fitting(Int32.self, parameter))
        case .int2: parameter.writeBinary(try fitting(Int16.self, parameter))
        case .oid: parameter.writeBinary(try fitting(UInt32.self, parameter))
        default: try parameter.writeText(String(self))
        }
    }

    private func fitting<Integer: FixedWidthInteger>(
        _ type: Integer.Type,
        _ parameter: PostgresParameterWriter
    ) throws -> Integer {
        guard let value = Integer(exactly: self) else {
            throw parameter.error("\(self) does not fit \(parameter.type)")
        }
        return value
    }

    @inlinable
    init(decodingInteger value: PostgresValue) throws {
        guard value.isBinary else {
            self = try Self.parse(value)
            return
        }
        let number: Int64
        switch value.type {
        case .int8: number = try value.wholeInteger(Int64.self)
        case .int4: number = Int64(try value.wholeInteger(Int32.self))
        case .int2: number = Int64(try value.wholeInteger(Int16.self))
        case .oid: number = Int64(try value.wholeInteger(UInt32.self))
        case .numeric:
            self = try Self.parse(value)
            return
        default: throw value.error()
        }
        guard let fitting = Self(exactly: number) else { throw value.doesNotFit(number) }
        self = fitting
    }

    /// Reads an integer from digits; a fraction that consists of zeros is allowed.
    @usableFromInline
    static func parse(_ value: PostgresValue) throws -> Self {
        let text = try value.text
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 1 || parts[1].utf8.allSatisfy({ $0 == UInt8(ascii: "0") }), let number = Self(parts[0])
        else { throw value.error("\"\(text.prefix(64))\" is not a whole number that fits") }
        return number
    }
}

extension PostgresValue {
    @usableFromInline
    func doesNotFit(_ number: Int64) -> any Error { error("\(number) does not fit") }
}

extension Int: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws { try encodeInteger(into: &parameter) }
    @inlinable
    public init(from value: PostgresValue) throws { try self.init(decodingInteger: value) }
}

extension Int64: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws { try encodeInteger(into: &parameter) }
    @inlinable
    public init(from value: PostgresValue) throws { try self.init(decodingInteger: value) }
}

extension Int32: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws { try encodeInteger(into: &parameter) }
    @inlinable
    public init(from value: PostgresValue) throws { try self.init(decodingInteger: value) }
}

extension Int16: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws { try encodeInteger(into: &parameter) }
    @inlinable
    public init(from value: PostgresValue) throws { try self.init(decodingInteger: value) }
}

extension Int8: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws { try encodeInteger(into: &parameter) }
    @inlinable
    public init(from value: PostgresValue) throws { try self.init(decodingInteger: value) }
}

extension UInt: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws { try encodeInteger(into: &parameter) }
    @inlinable
    public init(from value: PostgresValue) throws { try self.init(decodingInteger: value) }
}

extension UInt64: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws { try encodeInteger(into: &parameter) }
    @inlinable
    public init(from value: PostgresValue) throws { try self.init(decodingInteger: value) }
}

extension UInt32: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws { try encodeInteger(into: &parameter) }
    @inlinable
    public init(from value: PostgresValue) throws { try self.init(decodingInteger: value) }
}

extension UInt16: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws { try encodeInteger(into: &parameter) }
    @inlinable
    public init(from value: PostgresValue) throws { try self.init(decodingInteger: value) }
}

/// A single `UInt8` is a number, and an array of them is `bytea`.
extension UInt8: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws { try encodeInteger(into: &parameter) }
    @inlinable
    public init(from value: PostgresValue) throws { try self.init(decodingInteger: value) }

    public static func encodeArray(_ array: [UInt8], into parameter: inout PostgresParameterWriter) throws {
        try Bytes.encode(array, into: &parameter)
    }

    public static func decodeArray(_ value: PostgresValue) throws -> [UInt8] {
        try Bytes.decode(value)
    }
}
