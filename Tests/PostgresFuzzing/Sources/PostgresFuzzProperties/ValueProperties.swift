// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolPostgres
import Foundation
import FuzzHarness

/// The properties that must hold for all bytes that a server may send as a value, whatever the value is read as.
///
/// - The result is a value, or the error for a value that cannot be read.
/// - It is the same each time, and no byte before or after the value is read.
/// - A value that was read and is sent as a parameter is read as the same value.
/// - A `numeric` is the same number as a decimal and as text.
struct ValueProperties {
    /// A type that a database defines itself.
    static let foreign = PostgresType(oid: 99_999)

    private static let scalars: [PostgresType] = [
        .bool, .bytea, .char, .name, .int8, .int2, .int4, .text, .oid, .json, .float4, .float8, .unknown, .bpchar,
        .varchar,
        .date, .timestamp, .timestamptz, .numeric, .void, .uuid, .jsonb,
    ]
    private static let arrays: [PostgresType] = [
        1000, 1001, 1002, 1003, 1016, 1005, 1007, 1009, 1028, 199, 1021, 1022, 1014, 1015, 1182, 1115, 1185, 1231, 2951,
        3807,
    ].map { PostgresType(oid: $0) }

    /// All types whose binary format is known, and one that is not. The first byte of an input is an index.
    static let types = scalars + arrays + [foreign]

    static func types(ofArraysOf elements: [PostgresType]) -> [PostgresType] {
        arrays.filter { elements.contains($0.element!) }
    }

    private let type: PostgresType
    private let isBinary: Bool
    private let bytes: [UInt8]

    init(_ input: [UInt8]) {
        type = Self.types[Int(input.first ?? 0) % Self.types.count]
        isBinary = input.count > 1 && input[1] % 2 == 1
        bytes = Array(input.dropFirst(2))
    }

    func check(_ readers: [ValueReader]) throws {
        let (one, other) = (GuardedMemory(for: bytes.count), GuardedMemory(for: bytes.count))
        let owner = TextResult.make([], type: type, isBinary: false).owner
        func value(_ bytes: UnsafeRawBufferPointer) -> PostgresValue {
            PostgresValue(bytes: bytes, type: type, isBinary: isBinary, owner: owner)
        }
        let (first, last) = (value(one.first(bytes)), value(other.last(bytes)))
        for reader in readers { try reader.check(first, last) }
        try checkNumber(first)
        withExtendedLifetime((one, other)) {}
    }

    /// Compares the digits of a `numeric` that was read as a decimal with those of its text.
    private func checkNumber(_ value: PostgresValue) throws {
        guard type == .numeric, let text = try? value.text, let number = try? Decimal(from: value) else { return }
        guard let expected = Self.digits(text) else {
            return try require(number.isNaN, "\"\(text)\" is read as the decimal \(number).")
        }
        try require(
            Self.digits("\(number)").map { $0 == expected } == true,
            "\"\(text)\" is read as the decimal \(number)."
        )
    }

    /// Returns the sign and the digits of a number without leading and trailing zeros; `nil` for what is not a number.
    private static func digits(_ text: String) -> String? {
        let isNegative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } })
        else {
            return nil
        }
        let whole = parts[0].drop { $0 == "0" }
        let fraction = String(String((parts.count == 2 ? parts[1] : "").reversed()).drop { $0 == "0" }.reversed())
        if whole.isEmpty, fraction.isEmpty { return "0" }
        return (isNegative ? "-" : "") + whole + "." + fraction
    }
}
