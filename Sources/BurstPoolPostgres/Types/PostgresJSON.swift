// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A `Codable` value that is sent and read as `json` or `jsonb`.
///
/// ```swift
/// try await connection.execute("INSERT INTO events (payload) VALUES ($1)", PostgresJSON(event))
/// let event = try row["payload", as: PostgresJSON<Event>.self].value
/// ```
public struct PostgresJSON<Value: Sendable>: Sendable {
    /// The value.
    public var value: Value

    public init(_ value: Value) {
        self.value = value
    }
}

extension PostgresJSON: Equatable where Value: Equatable {}
extension PostgresJSON: Hashable where Value: Hashable {}

extension PostgresJSON: PostgresEncodable where Value: Encodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        let data = try JSONEncoder().encode(value)
        if parameter.type.isText {
            parameter.writeBinary(data)
        } else {
            try parameter.writeText(String(decoding: data, as: UTF8.self))
        }
    }
}

extension PostgresJSON: PostgresDecodable where Value: Decodable {
    public init(from value: PostgresValue) throws {
        guard value.type == .json || value.type == .jsonb || value.type.isText else { throw value.error() }
        let range = try JSONBinary.textRange(of: value)
        let data = value.withBytes { Data(UnsafeRawBufferPointer(rebasing: $0[range])) }
        do {
            self.value = try JSONDecoder().decode(Value.self, from: data)
        } catch {
            throw value.error("the JSON does not match: \(error)")
        }
    }
}

/// The binary format of `jsonb`: a byte 1, and the text.
enum JSONBinary {
    static func textRange(of value: PostgresValue) throws -> Range<Int> {
        guard value.type == .jsonb, value.isBinary else { return 0..<value.count }
        let version = try value.integer(UInt8.self)
        guard version == 1 else { throw value.error("version \(version) of jsonb is not supported") }
        return 1..<value.count
    }
}
