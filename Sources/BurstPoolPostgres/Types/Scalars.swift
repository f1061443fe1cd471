// SPDX-License-Identifier: Apache-2.0

// Truth values, floating-point numbers and text.

extension Bool: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        if parameter.type == .bool {
            parameter.writeBinary(UInt8(self ? 1 : 0))
        } else {
            try parameter.writeText(self ? "true" : "false")
        }
    }

    public init(from value: PostgresValue) throws {
        guard value.type == .bool else { throw value.error() }
        let first = try value.wholeInteger(UInt8.self)
        switch first {
        case 1 where value.isBinary, UInt8(ascii: "t") where !value.isBinary: self = true
        case 0 where value.isBinary, UInt8(ascii: "f") where !value.isBinary: self = false
        default: throw value.error("byte \(first) is neither true nor false")
        }
    }
}

extension Double: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        switch parameter.type {
        case .float8: parameter.writeBinary(bitPattern)
        case .float4:
            let number = Float(self)
            guard number.isFinite || !isFinite else { throw parameter.error("\(self) does not fit \(parameter.type)") }
            parameter.writeBinary(number.bitPattern)
        default: try parameter.writeText(postgresText)
        }
    }

    @inlinable
    public init(from value: PostgresValue) throws {
        if value.isBinary, value.type == .float8 {
            self.init(bitPattern: try value.wholeInteger(UInt64.self))
        } else {
            self = try Self.number(ofOther: value)
        }
    }

    /// Reads every number that is not a `float8` in the binary format.
    @usableFromInline
    static func number(ofOther value: PostgresValue) throws -> Double {
        switch (value.type, value.isBinary) {
        case (.float4, true): return Double(Float(bitPattern: try value.wholeInteger(UInt32.self)))
        case (.int8, _), (.int4, _), (.int2, _): return Double(try Int64(from: value))
        case (.float4, false):
            // The number that the digits stand for, as in the binary format, and not the nearest Double to the digits.
            return Double(try parse(value, as: Float.self))
        case (.numeric, _), (.float8, false): return try parse(value, as: Double.self)
        default: throw value.error()
        }
    }

    private static func parse<Number: BinaryFloatingPoint & LosslessStringConvertible>(
        _ value: PostgresValue,
        as type: Number.Type
    ) throws -> Number {
        let text = try value.text
        guard let number = Number(text) else { throw value.error("it is not a number") }
        // Digits that stand for a number out of range are read as infinity.
        guard number.isFinite || text.utf8.last.map({ $0 > UInt8(ascii: "9") }) == true else {
            throw value.error("\"\(text.prefix(64))\" does not fit")
        }
        return number
    }
}

extension Float: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        switch parameter.type {
        case .float4: parameter.writeBinary(bitPattern)
        case .float8: parameter.writeBinary(Double(self).bitPattern)
        default: try parameter.writeText(postgresText)
        }
    }

    public init(from value: PostgresValue) throws {
        let number = try Double(from: value)
        self = Float(number)
        guard isFinite || !number.isFinite else { throw value.error("\(number) does not fit") }
    }
}

extension BinaryFloatingPoint where Self: CustomStringConvertible {
    /// The number as PostgreSQL writes it.
    var postgresText: String {
        if isNaN { return "NaN" }
        if isInfinite { return self < 0 ? "-Infinity" : "Infinity" }
        return description
    }
}

extension String: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        // The binary format of text is the text, with its length: nothing has to look for an end.
        if parameter.type.isText { parameter.writeBinary(utf8) } else { try parameter.writeText(self) }
    }

    @inlinable
    public init(from value: PostgresValue) throws {
        self = !value.isBinary || value.type.isText ? try value.rawText : try Self.text(ofBinary: value)
    }

    /// The text that a value stands for whose binary format is not text.
    @usableFromInline
    static func text(ofBinary value: PostgresValue) throws -> String {
        switch value.type {
        case .int8, .int4, .int2, .oid: String(try Int64(from: value))
        case .float8: try Double(from: value).postgresText
        case .float4: Float(bitPattern: try value.wholeInteger(UInt32.self)).postgresText
        case .bool: try Bool(from: value) ? "true" : "false"
        case .numeric: try Numeric.text(value)
        case .uuid: try UUIDText.text(value)
        case .jsonb: try value.part(JSONBinary.textRange(of: value), type: .text).rawText
        case .void: ""
        default: throw value.error("select it with \"::text\" to read it as text")
        }
    }
}

extension Substring: PostgresEncodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        try String(self).encode(into: &parameter)
    }
}
