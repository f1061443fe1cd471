// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolPostgres
import Foundation
import FuzzHarness

/// Reads values as one type of Swift, and checks what comes of it.
struct ValueReader: Sendable {
    private let name: String
    private let checkValue: @Sendable (_ first: PostgresValue, _ last: PostgresValue) throws -> Void

    /// - Parameters:
    ///   - type: The type of Swift.
    ///   - exactTypes: The types of PostgreSQL for which a value that was read can be sent, and is then read as the same.
    ///   - isSame: Returns whether two values are the same.
    init<Value: PostgresCodable>(
        _ type: Value.Type,
        exactFor exactTypes: [PostgresType],
        isSame: @escaping @Sendable (Value, Value) -> Bool
    ) {
        name = "\(type)"
        checkValue = { first, last in
            let (one, other) = (try Self.read(type, first), try Self.read(type, last))
            switch (one, other) {
            case (.success(let one), .success(let other)):
                try require(isSame(one, other), "Read twice, the value is \(one) and \(other).")
                if exactTypes.contains(first.type) { try RoundTrip.check(one, first.type, isSame: isSame) }
            case (.failure(let one), .failure(let other)):
                try require(one.reason == other.reason, "Read twice, the errors are \(one) and \(other).")
            default: throw Violation("Read twice, one of the two fails: \(one), \(other).")
            }
        }
    }

    init<Value: PostgresCodable & Equatable>(_ type: Value.Type, exactFor exactTypes: [PostgresType]) {
        // NaN is the only value that differs from itself.
        self.init(type, exactFor: exactTypes) { $0 == $1 || ("\($0)" == "\($1)" && "\($0)".contains("nan")) }
    }

    /// Reads the same bytes at two places.
    ///
    /// - Throws: ``Violation``
    func check(_ first: PostgresValue, _ last: PostgresValue) throws {
        do {
            try checkValue(first, last)
        } catch let violation as Violation {
            throw Violation("\(first.type) as \(name): \(violation)")
        }
    }

    private static func read<Value: PostgresDecodable>(
        _ type: Value.Type,
        _ value: PostgresValue
    ) throws -> Result<Value, PostgresValueError> {
        do {
            return .success(try Value.decode(value))
        } catch let error as PostgresValueError {
            let described = error.error(column: "c", type: value.type, target: type)
            try require(described.code == .invalidValue, "The code of the error is \(described.code).")
            return .failure(error)
        } catch {
            throw Violation("The error is not for callers: \(error)")
        }
    }

    // MARK: - All types

    private static let integers: [PostgresType] = [.int2, .int4, .int8, .oid, .numeric]
    private static let texts: [PostgresType] = [.text, .varchar, .bpchar, .name, .char, .unknown, .json]

    static let all: [ValueReader] = [
        ValueReader(Bool.self, exactFor: [.bool]),
        ValueReader(Int.self, exactFor: integers),
        ValueReader(Int16.self, exactFor: integers),
        ValueReader(UInt8.self, exactFor: integers),
        ValueReader(UInt64.self, exactFor: integers),
        ValueReader(Double.self, exactFor: [.float4, .float8, .numeric]),
        ValueReader(Float.self, exactFor: [.float4, .float8, .numeric]),
        ValueReader(String.self, exactFor: ValueProperties.types),
        ValueReader([UInt8].self, exactFor: texts + [.bytea]),
        ValueReader(Data.self, exactFor: texts + [.bytea]),
        ValueReader(UUID.self, exactFor: texts + [.uuid]),
        ValueReader(Date.self, exactFor: [.date, .timestamp, .timestamptz], isSame: Date.isSame),
        ValueReader(Decimal.self, exactFor: [.numeric]),
        ValueReader(PostgresJSON<[String: Int?]>.self, exactFor: texts + [.jsonb]),
        ValueReader(PostgresJSON<[[String]]>.self, exactFor: texts + [.jsonb]),
        ValueReader([Int].self, exactFor: ValueProperties.types(ofArraysOf: integers)),
        ValueReader([Int16?].self, exactFor: ValueProperties.types(ofArraysOf: integers)),
        ValueReader([Double?].self, exactFor: ValueProperties.types(ofArraysOf: [.float8])),
        ValueReader([String?].self, exactFor: ValueProperties.types(ofArraysOf: texts) + [ValueProperties.foreign]),
        ValueReader([[UInt8]].self, exactFor: ValueProperties.types(ofArraysOf: texts + [.bytea])),
        ValueReader([UUID].self, exactFor: ValueProperties.types(ofArraysOf: [.uuid])),
        ValueReader([Decimal?].self, exactFor: ValueProperties.types(ofArraysOf: [.numeric])),
        // Arrays of arrays are refused, and must not trap.
        ValueReader([[Int]].self, exactFor: []),
    ]
}

extension Date {
    /// Whether two dates are the same microsecond, as far as a date can tell microseconds apart.
    @Sendable static func isSame(_ one: Date, _ other: Date) -> Bool {
        abs(one.timeIntervalSinceReferenceDate - other.timeIntervalSinceReferenceDate)
            <= max(1e-6, 2 * one.timeIntervalSinceReferenceDate.ulp)
    }
}
