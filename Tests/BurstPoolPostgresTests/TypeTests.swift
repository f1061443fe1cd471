// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import Foundation
import Testing

@Suite("Types", .timeLimit(.minutes(5)))
struct TypeTests {
    /// Sends a value as a parameter of a type and reads it back: in the binary format, and in the text format, which the
    /// column of type `interval` brings about.
    private func roundTrip<Value: PostgresCodable & Equatable>(
        _ connection: PostgresConnection,
        _ type: String,
        _ value: Value,
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let binary = try await connection.query("SELECT $1::\(type)", value).only()
        #expect(try binary[0, as: Value.self] == value, "\(type)", sourceLocation: location)
        let text = try await connection.query("SELECT $1::\(type), '1 s'::interval", value).only()
        #expect(try text[0, as: Value.self] == value, "\(type) as text", sourceLocation: location)
        let null = try await connection.query("SELECT $1::\(type)", Value?.none).only()
        #expect(try null[0, as: Value?.self] == nil, sourceLocation: location)
        let array = try await connection.query("SELECT $1::\(type)[]", [value, nil, value]).only()
        #expect(try array[0, as: [Value?].self] == [value, nil, value], "\(type)[]", sourceLocation: location)
        let textArray = try await connection.query("SELECT $1::\(type)[], '1 s'::interval", [value, nil]).only()
        #expect(try textArray[0, as: [Value?].self] == [value, nil], "\(type)[] as text", sourceLocation: location)
    }

    @Test("integers of all widths make the round trip")
    func integers() async throws {
        let connection = try await connect()
        for value in [Int.min, -1, 0, 1, 42, .max] { try await roundTrip(connection, "int8", value) }
        for value in [Int32.min, -1, 0, .max] {
            try await roundTrip(connection, "int4", value)
            try await roundTrip(connection, "int8", Int(value))
            try await roundTrip(connection, "numeric", Int(value))
            try await roundTrip(connection, "text", String(value))
        }
        for value in [Int16.min, 0, .max] { try await roundTrip(connection, "int2", value) }
        try await roundTrip(connection, "int2", Int8.min)
        try await roundTrip(connection, "int4", UInt16.max)
        try await roundTrip(connection, "oid", UInt32.max)
        try await roundTrip(connection, "numeric", UInt64.max)
        try await roundTrip(connection, "numeric", UInt.max)
        let row = try await connection.query("SELECT 300::int2, 1.5::numeric, 2.0::numeric").only()
        #expect(await postgresError { _ = try row[0, as: Int8.self] }?.code == .invalidValue)
        #expect(await postgresError { _ = try row[1, as: Int.self] }?.code == .invalidValue)
        #expect(try row[2, as: Int.self] == 2)
        await connection.close()
    }

    @Test("truth values, floating-point numbers, texts and bytes make the round trip")
    func scalars() async throws {
        let connection = try await connect()
        for value in [true, false] { try await roundTrip(connection, "bool", value) }
        for value in [0, -0.5, 1 / 3, Double.greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity, -.infinity] {
            try await roundTrip(connection, "float8", value)
        }
        for value in [Float(0.1), -.greatestFiniteMagnitude, .infinity] {
            try await roundTrip(connection, "float4", value)
        }
        try await roundTrip(connection, "numeric", 1.25)
        for suffix in ["", ", '1 s'::interval"] {
            let large = try await connection.query("SELECT 1e300::float8, 1e400::numeric, 'inf'::numeric\(suffix)")
                .only()
            #expect(await postgresError { _ = try large[0, as: Float.self] }?.code == .invalidValue)
            #expect(await postgresError { _ = try large[1, as: Double.self] }?.code == .invalidValue)
            #expect(try large[2, as: Double.self] == .infinity)
        }
        #expect(
            await postgresError { try await connection.query("SELECT $1::float4", 1e300) }?.code == .invalidParameter
        )
        let nan = try await connection.query("SELECT $1::float8", Double.nan).only()
        #expect(try nan[0, as: Double.self].isNaN)
        for value in [
            "", "a", "Grüße 🙂", "NULL", "{a,\"b\\}", "\"\u{301},b\\\u{301}", String(repeating: "x", count: 100_000),
        ] {
            for type in ["text", "varchar"] { try await roundTrip(connection, type, value) }
        }
        for value in [[], [0], [UInt8](0...255)] as [[UInt8]] { try await roundTrip(connection, "bytea", value) }
        try await roundTrip(connection, "bytea", Data([1, 2, 0]))
        await connection.close()
    }

    @Test("UUIDs, dates, decimals and JSON make the round trip")
    func foundationTypes() async throws {
        struct Point: Codable, Hashable, Sendable {
            var x: Int
            var label: String?
        }
        let connection = try await connect()
        try await roundTrip(connection, "uuid", UUID())
        for seconds in [0, 1.5, 1_700_000_000.123456, -1_000_000_000, -62_000_000_000, -70_000_000_000.25] {
            let date = Date(timeIntervalSince1970: seconds)
            try await roundTrip(connection, "timestamptz", RoundedDate(date))
            try await roundTrip(connection, "timestamp", RoundedDate(date))
        }
        try await roundTrip(connection, "date", Date(timeIntervalSince1970: 86_400 * 365))
        for text in ["0", "1", "-1.5", "12345678901234567890.123456789", "0.00001", "10000", "99990000.5"] {
            try await roundTrip(connection, "numeric", Decimal(string: text)!)
        }
        for value in [Point(x: 1), Point(x: 2, label: "quote \" and \\")] {
            try await roundTrip(connection, "jsonb", PostgresJSON(value))
            try await roundTrip(connection, "json", PostgresJSON(value))
        }
        try await roundTrip(connection, "jsonb", PostgresJSON(["a": [1, 2]]))
        let row = try await connection.query("SELECT 'infinity'::timestamptz, '\"x\"'::jsonb").only()
        #expect(await postgresError { _ = try row[0, as: Date.self] }?.code == .invalidValue)
        #expect(await postgresError { _ = try row[1, as: PostgresJSON<Point>.self] }?.code == .invalidValue)
        await connection.close()
    }

    @Test("dates are the same as the server's own text")
    func dates() async throws {
        let connection = try await connect()
        try await connection.execute("SET timezone TO 'Asia/Kolkata'")
        for text in [
            "2000-01-01 00:00:00+00", "1970-01-01 00:00:00+00", "2024-02-29 23:59:59.999999+00",
            "0001-01-01 00:00:00+00",
            "0044-03-15 12:00:00+00 BC", "1900-03-01 00:00:00+00", "9999-12-31 00:00:00+00",
        ] {
            let rows = try await connection.query(
                "SELECT $1::text::timestamptz, extract(epoch FROM $1::text::timestamptz)::float8",
                text
            )
            let date = try rows.only()[0, as: Date.self]
            #expect(date.timeIntervalSince1970 == (try rows.only()[1, as: Double.self]), "\(text)")
            let asText = try await connection.query("SELECT $1::text::timestamptz, '1 s'::interval", text)
            #expect(try asText.only()[0, as: Date.self] == date, "\(text)")
            // As a parameter whose type is text, the date is text as well.
            let sent = try await connection.query("SELECT $1::text::timestamptz", date)
            #expect(try sent.only()[0, as: Date.self] == date, "\(text)")
        }
        await connection.close()
    }

    @Test("numerics read as text have the digits that the server shows")
    func numericText() async throws {
        let connection = try await connect()
        let numbers = [
            "0", "0.0", "0.00", "1", "-1", "10000", "100000000", "0.0001", "0.00001", "123.4500", "-99999.99999", "NaN",
            "Infinity",
            "-Infinity", "1e30", "1e-30", "123456789012345678901234567890.123456789012345678901234567890",
        ]
        for number in numbers {
            let row = try await connection.query("SELECT $1::numeric AS n, $1::numeric::text AS t", number).only()
            #expect(try row["n", as: String.self] == row["t", as: String.self])
        }
        let big = try await connection.query("SELECT (1e60 + 1)::numeric").only()
        #expect(
            await postgresError { _ = try big[0, as: Decimal.self] }?.description.contains("Read it as String") == true
        )
        await connection.close()
    }

    @Test("numerics of few digits are read as decimals, however many zeros they have, or are refused")
    func decimalZeros() async throws {
        let connection = try await connect()
        for number in ["1e60", "1e127", "1.0000000000000000000000000000000000000000", "1e-100", "0e-50"] {
            let row = try await connection.query("SELECT $1::text::numeric AS n, $1::text::numeric::text AS t", number)
                .only()
            let decimal = try row["n", as: Decimal.self]
            let digits = try row["t", as: String.self]
            let isSame = try await connection.query("SELECT $1::numeric = $2::text::numeric", decimal, digits).only()
            #expect(try isSame[0, as: Bool.self], "\(number) is read as \(decimal)")
        }
        let tooSmall = try await connection.query("SELECT 1e-200::numeric, 12e165::numeric").only()
        for column in 0..<2 {
            #expect(await postgresError { _ = try tooSmall[column, as: Decimal.self] }?.code == .invalidValue)
        }
        await connection.close()
    }

    @Test("days beyond the years of timestamps make the round trip")
    func distantDays() async throws {
        let connection = try await connect()
        for text in ["5874897-12-31", "294277-01-01", "0044-03-15 BC", "4713-01-01 BC"] {
            let day = try await connection.query("SELECT $1::text::date", text).only()[0, as: Date.self]
            let asText = try await connection.query("SELECT $1::text::date, '1 s'::interval", text).only()
            #expect(try asText[0, as: Date.self] == day, "\(text)")
            let sent = try await connection.query("SELECT $1::date::text", day).only()
            #expect(try sent[0, as: String.self] == text)
        }
        await connection.close()
    }

    @Test("bytes that are not text are refused where only text can be sent")
    func bytesInTextArrays() async throws {
        let connection = try await connect()
        let type = uniqueName()
        try await connection.execute("CREATE DOMAIN \(type) AS text")
        let sql = "SELECT ($1::\(type)[])[1]::text"
        let row = try await connection.query(sql, [Array("ä".utf8)]).only()
        #expect(try row[0, as: String.self] == "ä")
        #expect(
            await postgresError { try await connection.query(sql, [[0xFF]] as [[UInt8]]) }?.code == .invalidParameter
        )
        try await connection.execute("DROP DOMAIN \(type)")
        await connection.close()
    }

    @Test("enumerations with raw values, a database's own types, and arrays with other bounds are read")
    func ownTypes() async throws {
        enum Mood: String, PostgresCodable, CaseIterable { case happy, sad }
        enum Level: Int, PostgresCodable { case low = 1 }
        let connection = try await connect()
        let type = uniqueName()
        try await connection.execute("CREATE TYPE \(type) AS ENUM ('happy', 'sad')")
        for mood in Mood.allCases { try await roundTrip(connection, type, mood) }
        try await roundTrip(connection, "int4", Level.low)
        #expect(
            await postgresError {
                _ = try await connection.query("SELECT 'angry'").only()[0, as: Mood.self]
            }?.description.contains("angry") == true
        )
        try await connection.execute("DROP TYPE \(type)")
        let row = try await connection.query("SELECT '[0:1]={1,2}'::int[], '[0:1]={1,2}'::int[]::text").only()
        #expect(try row[0, as: [Int].self] == [1, 2])
        let text = try await connection.query("SELECT '[0:1]={1,2}'::int[], '1 s'::interval AS i").only()
        #expect(try text[0, as: [Int].self] == [1, 2])
        #expect(try text["i", as: String.self] == "00:00:01")
        let matrix = try await connection.query("SELECT '{{1,2},{3,4}}'::int[], '{}'::int[]").only()
        #expect(await postgresError { _ = try matrix[0, as: [Int].self] }?.code == .invalidValue)
        #expect(try matrix[1, as: [Int].self] == [])
        #expect(
            await postgresError { try await connection.query("SELECT $1::int[]", [[1], [2]]) }?.code
                == .invalidParameter
        )
        let blobs = try await connection.query("SELECT $1::bytea[]", [[1, 2], []] as [[UInt8]]).only()
        #expect(try blobs[0, as: [[UInt8]].self] == [[1, 2], []])
        await connection.close()
    }
}

/// A date that is equal to another one less than a microsecond away, which is PostgreSQL's resolution.
private struct RoundedDate: PostgresCodable, Equatable {
    let date: Date

    init(_ date: Date) {
        self.date = date
    }

    init(from value: PostgresValue) throws {
        date = try Date(from: value)
    }

    func encode(into parameter: inout PostgresParameterWriter) throws {
        try date.encode(into: &parameter)
    }

    static func == (left: RoundedDate, right: RoundedDate) -> Bool {
        abs(left.date.timeIntervalSince(right.date)) < 1.1e-6
    }
}
