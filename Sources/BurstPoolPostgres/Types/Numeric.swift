// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The binary format of `numeric`: digits to the base 10,000.
enum Numeric {
    /// Returns the number in decimal digits, with as many after the point as its scale says.
    static func text(_ value: PostgresValue) throws -> String {
        let count = Int(try value.integer(Int16.self))
        let weight = Int(try value.integer(Int16.self, at: 2))
        let sign = try value.integer(UInt16.self, at: 4)
        let scale = Int(try value.integer(UInt16.self, at: 6))
        switch sign {
        case 0xC000: return "NaN"
        case 0xD000: return "Infinity"
        case 0xF000: return "-Infinity"
        case 0x0000, 0x4000: break
        default: throw value.error("its sign is \(sign)")
        }
        guard count >= 0, value.count == 8 + 2 * count, scale < 0x4000 else { throw value.error("its length is wrong") }

        func digit(_ index: Int) throws -> String {
            guard (0..<count).contains(index) else { return "0000" }
            let digit = try value.integer(UInt16.self, at: 8 + 2 * index)
            guard digit < 10_000 else { throw value.error("it has a digit of \(digit)") }
            let text = String(digit)
            return String(repeating: "0", count: 4 - text.utf8.count) + text
        }

        var whole = ""
        for index in stride(from: 0, through: weight, by: 1) { whole += try digit(index) }
        whole = String(whole.drop { $0 == "0" })
        if whole.isEmpty { whole = "0" }
        var fraction = ""
        for index in stride(from: weight + 1, to: weight + 1 + (scale + 3) / 4, by: 1) { fraction += try digit(index) }
        fraction = String(fraction.prefix(scale))
        return (sign == 0x4000 ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + fraction)
    }
}

extension Decimal: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        try parameter.writeText(isNaN ? "NaN" : description)
    }

    public init(from value: PostgresValue) throws {
        switch value.type {
        case .numeric, .int8, .int4, .int2: break
        default: throw value.error()
        }
        let text = try value.text
        guard let number = Self.parse(text) else {
            throw value.error("\"\(text.prefix(64))\" does not fit. Read it as String")
        }
        self = number
    }

    /// A `Decimal` has this many digits before its exponent.
    private static let maximumDigits = 38
    private static let exponents = -128...127

    /// Reads a number in decimal digits. Returns `nil` if it is not one, or is not exactly a `Decimal`. A numeric can have
    /// many more digits.
    private static func parse(_ text: String) -> Decimal? {
        if text == "NaN" { return .nan }
        let isNegative = text.utf8.first == UInt8(ascii: "-")
        let parts = text.utf8.dropFirst(isNegative ? 1 : 0)
            .split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let areDigits = parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
        guard areDigits else { return nil }

        // Zeros at either end belong to the exponent.
        let zero = UInt8(ascii: "0")
        var digits = Array(parts.joined().drop { $0 == zero })
        var exponent = parts.count == 2 ? -parts[1].count : 0
        while digits.last == zero {
            digits.removeLast()
            exponent += 1
        }
        if digits.isEmpty { return 0 }
        guard digits.count <= maximumDigits, exponents.contains(exponent),
            let significand = Decimal(string: String(decoding: digits, as: UTF8.self))
        else { return nil }
        return Decimal(sign: isNegative ? .minus : .plus, exponent: exponent, significand: significand)
    }
}
