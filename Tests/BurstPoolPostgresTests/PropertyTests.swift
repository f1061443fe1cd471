// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgresServer
import Foundation
import Testing

@testable import BurstPoolPostgres

/// Random inputs for everything that parses what comes from outside. The seed is in the failure's message.
@Suite("Parsers with random input", .timeLimit(.minutes(5)))
struct PropertyTests {
    private static let types: [PostgresType] = [
        .bool, .bytea, .int2, .int4, .int8, .oid, .float4, .float8, .text, .json, .jsonb, .uuid, .numeric, .date,
        .timestamp,
        .timestamptz, PostgresType(oid: 1007), PostgresType(oid: 1009), PostgresType(oid: 1231),
        PostgresType(oid: 99_999),
    ]

    /// Reads the value as every type. Only errors for values may come of it, and the rest of the process goes on.
    private func readAsEverything(_ value: PostgresValue) throws {
        func attempt<Value: PostgresDecodable>(_ type: Value.Type) throws {
            do { _ = try Value.decode(value) } catch is PostgresValueError {}
        }
        try attempt(Bool.self)
        try attempt(Int.self)
        try attempt(UInt8.self)
        try attempt(UInt64.self)
        try attempt(Double.self)
        try attempt(Float.self)
        try attempt(String.self)
        try attempt([UInt8].self)
        try attempt(Data.self)
        try attempt(UUID.self)
        try attempt(Date.self)
        try attempt(Decimal.self)
        try attempt(PostgresJSON<[String: Int]>.self)
        try attempt([Int].self)
        try attempt([String?].self)
        try attempt([[UInt8]].self)
        try attempt([[Int]].self)
    }

    @Test("random bytes never crash a decoder", arguments: [1, 2, 3, 4] as [UInt64])
    func randomBytes(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let count = Int.random(in: 0...40, using: &random)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            // Plausible numbers in the headers reach further than noise does.
            for index in stride(from: 0, to: count - 3, by: 4) where Bool.random(using: &random) {
                bytes.replaceSubrange(index..<index + 4, with: [0, 0, 0, UInt8.random(in: 0...5, using: &random)])
            }
            for isBinary in [true, false] {
                let type = Self.types.randomElement(using: &random)!
                try readAsEverything(TextResult.make(bytes, type: type, isBinary: isBinary))
            }
        }
    }

    @Test("random characters never crash a decoder of text", arguments: [5, 6] as [UInt64])
    func randomText(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let characters = Array("{},\"\\NULL 0123456789-+.:eTZ[]=x\u{80}\u{ff}".utf8)
        for _ in 0..<1_000 {
            let text = (0..<Int.random(in: 0...30, using: &random)).map { _ in characters.randomElement(using: &random)!
            }
            try readAsEverything(
                TextResult.make(text, type: Self.types.randomElement(using: &random)!, isBinary: false)
            )
        }
    }

    @Test("text that is not valid UTF-8 is an error, also where its replacement would be as long")
    func invalidText() throws {
        for bytes: [UInt8] in [[0xFF], [0xC3, 0x28], [0xF0, 0x9F, 0x98], Array("abc".utf8) + [0xED, 0xA0, 0x80]] {
            #expect(throws: PostgresValueError.self) {
                try String(from: TextResult.make(bytes, type: .text, isBinary: true))
            }
        }
        for text in ["", "a", "\u{FFFD}", "🙂 and more than fifteen bytes"] {
            #expect(try String(from: TextResult.make(Array(text.utf8), type: .text, isBinary: true)) == text)
        }
    }

    @Test("arrays in the text format are read as they were written", arguments: [7, 8] as [UInt64])
    func arrayText(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        // The combining character makes another character of the one before it.
        let characters = Array("ab{},\"\\ NUL\n🙂") + ["\u{301}"]
        for _ in 0..<500 {
            let array: [String?] = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                if Int.random(in: 0..<5, using: &random) == 0 { return nil }
                return String(
                    (0..<Int.random(in: 0...8, using: &random)).map { _ in characters.randomElement(using: &random)! }
                )
            }
            let text = try ArrayText.format(array, PostgresParameterWriter(type: .text))
            let value = TextResult.make(Array(text.utf8), type: PostgresType(oid: 1009), isBinary: false)
            #expect(try [String?](from: value) == array)
        }
    }

    @Test("timestamps in the text format are read as they were written", arguments: [9] as [UInt64])
    func timestampText(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<5_000 {
            // From 4713 BC to the year 294276.
            let microseconds = Int64.random(in: -211_813_488_000_000_000...9_223_371_331_199_999_999, using: &random)
            let text = TimestampText.format(microseconds: microseconds)
            #expect(TimestampText.parse(text) == microseconds, "\(text)")
        }
    }

    @Test("random connection strings are accepted or refused, and the error does not have their password")
    func connectionStrings() throws {
        var random = SeededRandom(seed: 10)
        let pieces = [
            "postgresql://", "u", ":", "hunter2", "@", "h", "/", "?", "=", "&", "%", "%zz", "[", "]", ",", "'", "\\",
            " ", "sslmode", "host",
        ]
        for _ in 0..<1_000 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in pieces.randomElement(using: &random)! }
                .joined()
            do {
                _ = try PostgresConfiguration(url: text)
            } catch let error as PostgresError {
                #expect(error.code == .invalidURL)
                #expect(!error.description.contains("hunter2"), "\(text): \(error)")
            }
        }
    }

    @Test("values that the server makes are the same in both formats, and as text")
    func valuesOfServer() async throws {
        let connection = try await connect()
        let table = uniqueName()
        try await connection.executeScript(
            """
            SELECT setseed(0.12);
            CREATE TEMP TABLE \(table) AS SELECT
                round(((random() - 0.5)::numeric * 10::numeric ^ (random() * 40 - 20)::int), (random() * 60 - 10)::int) AS n,
                (random() - 0.5) * 10::float8 ^ (random() * 600 - 300)::int AS d,
                ((random() - 0.5) * 10::float8 ^ (random() * 70 - 35)::int)::float4 AS f,
                '2000-01-01 UTC'::timestamptz + (random() - 0.02) * interval '290000 years' AS t,
                '2000-01-01'::date + ((random() - 0.01) * 2e8)::int AS day,
                decode(substr(md5(random()::text), 1, 2 * (random() * 16)::int), 'hex') AS b,
                ARRAY[md5(random()::text), NULL, chr((random() * 200)::int + 1) || '",\\{}', '', 'NULL'] AS a,
                ARRAY[decode(md5(random()::text), 'hex'), NULL] AS ba,
                ARRAY[(random() * 1e9)::numeric, NULL, 1e20] AS na,
                gen_random_uuid() AS u,
                jsonb_build_object('k', (random() * 1000)::int) AS j
            FROM generate_series(1, 1000)
            """
        )
        let binary = try await connection.query("SELECT *, n::text AS nt, d::text AS dt FROM \(table)")
        let text = try await connection.query("SELECT *, '1 s'::interval FROM \(table)")
        #expect(binary.count == 1_000)
        for (one, other) in zip(binary, text) {
            func check<Value: PostgresDecodable & Equatable>(_ column: String, _ type: Value.Type) throws {
                #expect(try one[column, as: type] == other[column, as: type], "\(column)")
            }
            try check("n", String.self)
            #expect(try one["n", as: String.self] == one["nt", as: String.self])
            try check("n", Double.self)
            try check("d", Double.self)
            #expect(try one["d", as: Double.self] == Double(try one["dt", as: String.self]))
            try check("f", Float.self)
            try check("f", Double.self)
            try check("t", Date.self)
            try check("day", Date.self)
            try check("b", [UInt8].self)
            try check("a", [String?].self)
            try check("ba", [[UInt8]?].self)
            try check("na", [Decimal?].self)
            try check("u", UUID.self)
            try check("j", PostgresJSON<[String: Int]>.self)
        }
        await connection.close()
    }

    @Test("random values of all types come back from the server as they were sent", arguments: [11] as [UInt64])
    func randomRoundTrips(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let connection = try await connect()
        for _ in 0..<200 {
            let integer = Int.random(in: .min ... .max, using: &random) >> Int.random(in: 0..<64, using: &random)
            let double = Double(bitPattern: .random(in: 0 ... .max, using: &random))
            let bytes = (0..<Int.random(in: 0...50, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let text = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
            let numbers: [Int?] = bytes.map { $0 % 3 == 0 ? nil : Int($0) }
            for suffix in ["", ", '1 s'::interval"] {
                let row = try await connection.query(
                    "SELECT $1::int8, $2::float8, $3::bytea, $4::text, $5::int8[], $6::numeric\(suffix)",
                    integer,
                    double,
                    bytes,
                    text,
                    numbers,
                    integer
                ).only()
                #expect(try row[0, as: Int.self] == integer)
                let back = try row[1, as: Double.self]
                #expect(back == double || (back.isNaN && double.isNaN))
                #expect(try row[2, as: [UInt8].self] == bytes)
                #expect(try row[3, as: String.self] == text)
                #expect(try row[4, as: [Int?].self] == numbers)
                #expect(try row[5, as: String.self] == String(integer))
            }
        }
        await connection.close()
    }
}

/// SplitMix64: the same numbers for the same seed.
private struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
