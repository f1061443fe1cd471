// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolPostgres
import Foundation
import FuzzHarness

/// The properties that must hold for every value of Swift that is a parameter.
///
/// - As a parameter of any type it is sent, or there is the error for a parameter that cannot be sent.
/// - As a parameter of a type that suits, it is sent, and is read as the same value.
struct ParameterProperties {
    private let kind: Int
    private let bytes: [UInt8]
    /// The first eight bytes as an integer.
    private let number: UInt64

    init(_ input: [UInt8]) {
        kind = Int(input.first ?? 0) % 12
        bytes = Array(input.dropFirst())
        number = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private var text: String { String(decoding: bytes, as: UTF8.self) }
    private var texts: [String?] {
        bytes.split(separator: 0xFF, omittingEmptySubsequences: false).map {
            $0 == [0xFE] ? nil : String(decoding: $0, as: UTF8.self).filter { $0 != "\0" }
        }
    }

    func check() throws {
        switch kind {
        case 0: try check(Int64(bitPattern: number), exactFor: [.int8, .numeric])
        case 1: try check(Int16(truncatingIfNeeded: number), exactFor: [.int2, .int4, .int8, .numeric])
        case 2: try check(number, exactFor: [.numeric])
        case 3: try check(Double(bitPattern: number), exactFor: [.float8, .numeric])
        case 4:
            try check(Float(bitPattern: UInt32(truncatingIfNeeded: number)), exactFor: [.float4, .float8, .numeric])
        case 5: try check(text, exactFor: [.text, .varchar, .name, .unknown, .json])
        case 6: try check(bytes, exactFor: [.bytea, .text])
        case 7:
            let padded = bytes + Array(repeating: 0, count: 16)
            let uuid = padded.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
            try check(uuid, exactFor: [.uuid, .text])
        case 8: try checkDate()
        case 9: try checkDecimal()
        case 10:
            try check(
                texts,
                exactFor: ValueProperties.types(ofArraysOf: [.text, .varchar]) + [ValueProperties.foreign]
            )
        default: try check(PostgresJSON(texts), exactFor: [.json, .jsonb, .text])
        }
    }

    private func check<Value: PostgresCodable & Equatable>(_ value: Value, exactFor exactTypes: [PostgresType]) throws {
        // NaN is the only value that differs from itself.
        try check(value, exactFor: exactTypes) { $0 == $1 || ($0 != $0 && $1 != $1) }
    }

    private func check<Value: PostgresCodable>(
        _ value: Value,
        exactFor exactTypes: [PostgresType],
        isSame: (Value, Value) -> Bool
    ) throws {
        for type in ValueProperties.types {
            guard exactTypes.contains(type) else {
                _ = try RoundTrip.encode(value, type)
                try checkBuffer(value, type)
                continue
            }
            let isSent = try RoundTrip.encode(value, type) != nil
            try require(isSent, "\(value) cannot be sent as \(type).")
            try RoundTrip.check(value, type, isSame: isSame)
            try checkBuffer(value, type)
        }
    }

    /// Encodes a list of parameters in which the value is beside NULL and itself.
    private func checkBuffer<Value: PostgresCodable>(_ value: Value, _ type: PostgresType) throws {
        let result = TextResult.make([], type: type, isBinary: false).owner
        let statement = PreparedStatement(
            name: nil,
            sql: "SELECT",
            parameterTypes: [type, type, type],
            returnsBinary: true,
            columns: ResultColumns(of: result)
        )
        var buffer = ParameterBuffer()
        do {
            try buffer.encode([value, nil, value], for: statement)
        } catch let error as PostgresError {
            try require(error.code == .invalidParameter, "The code of the error for \(value) is \(error.code).")
        } catch {
            throw Violation("The error for the parameter \(value) is not for callers: \(error)")
        }
    }

    private func checkDate() throws {
        let date = Date(timeIntervalSinceReferenceDate: Double(bitPattern: number))
        // Dates of all magnitudes: the bit patterns of most doubles are far outside of the calendar.
        let near = Date(timeIntervalSinceReferenceDate: Double(Int64(bitPattern: number) >> 8) / 1_000_000)
        try check(date, exactFor: [], isSame: Date.isSame)
        try check(near, exactFor: [.timestamp, .timestamptz], isSame: Date.isSame)
        let midnight = Date(timeIntervalSinceReferenceDate: Double(Int32(truncatingIfNeeded: number) >> 1) * 86_400)
        try check(midnight, exactFor: [.date], isSame: Date.isSame)
    }

    private func checkDecimal() throws {
        let exponent = Int(Int8(truncatingIfNeeded: number))
        let significand = Decimal(number >> 8) * (number.isMultiple(of: 3) ? 1 : Decimal(number | 1))
        let value = Decimal(
            sign: number.isMultiple(of: 2) ? .plus : .minus,
            exponent: exponent,
            significand: significand
        )
        // A significand that does not fit 38 digits, or an exponent out of range, gives no number.
        if value.isNaN || significand > Decimal(string: "99999999999999999999999999999999999999")! { return }
        try check(value, exactFor: [.numeric])
    }
}
