// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolPostgres

// Code with faults that were made on purpose. The properties must notice each of them.

/// Reads one byte more than there are.
struct ReadsBeyond: PostgresCodable, Equatable {
    let byte: UInt8

    init(from value: PostgresValue) throws {
        byte = value.withBytes { $0.baseAddress!.load(fromByteOffset: $0.count, as: UInt8.self) }
    }

    func encode(into parameter: inout PostgresParameterWriter) throws { parameter.writeBinary(byte) }
}

/// Reads a large number as another one than it was sent as.
struct ReadsWrong: PostgresCodable, Equatable {
    let number: Int64

    init(from value: PostgresValue) throws { number = try Int64(from: value) }

    func encode(into parameter: inout PostgresParameterWriter) throws {
        try (number > 1 << 40 ? number - 1 : number).encode(into: &parameter)
    }
}

/// Throws an error that callers do not expect.
struct ThrowsOther: PostgresCodable, Equatable {
    struct Other: Error {}

    init(from value: PostgresValue) throws {
        if value.count == 3 { throw Other() }
    }

    func encode(into parameter: inout PostgresParameterWriter) throws { parameter.writeNull() }
}

enum QuotesAll {
    /// Parses a connection string, and quotes it in the error.
    static func parse(_ string: String) throws -> PostgresConfiguration {
        do {
            return try PostgresConfiguration(url: string)
        } catch {
            throw PostgresError(.invalidURL, "The connection string \"\(string)\" is malformed.")
        }
    }
}
