// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolPostgres
import FuzzHarness

/// Sends a value as a parameter and reads it as the server would send it, in the format in which it was sent.
enum RoundTrip {
    /// Checks that a value comes back as it was sent.
    static func check<Value: PostgresCodable>(
        _ value: Value,
        _ type: PostgresType,
        isSame: (Value, Value) -> Bool
    ) throws {
        guard let sent = try encode(value, type) else { return }
        let returned: Value
        do {
            returned = try Value.decode(sent)
        } catch {
            throw Violation("\(value) is sent as \(describe(sent)), which cannot be read: \(error)")
        }
        try require(isSame(value, returned), "\(value) is sent as \(describe(sent)) and read as \(returned).")
    }

    /// Returns the value as it is sent, or `nil` if it cannot be sent, which an error for callers says.
    static func encode<Value: PostgresEncodable>(_ value: Value, _ type: PostgresType) throws -> PostgresValue? {
        var writer = PostgresParameterWriter(type: type)
        do {
            try value.encode(into: &writer)
        } catch is PostgresParameterError {
            return nil
        } catch {
            throw Violation("The error for the parameter \(value) is not for callers: \(error)")
        }
        try require(writer.form != .null, "\(value) is sent as NULL.")
        return TextResult.make(writer.bytes, type: type, isBinary: writer.form == .binary)
    }

    static func describe(_ value: PostgresValue) -> String {
        value.withBytes { bytes in
            value.isBinary
                ? "the bytes \(Array(bytes.prefix(100)))" : "\"\(String(decoding: bytes.prefix(100), as: UTF8.self))\""
        }
    }
}
