// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Bytes as `bytea`.
enum Bytes {
    static func encode(_ bytes: some Collection<UInt8>, into parameter: inout PostgresParameterWriter) throws {
        guard parameter.type == .bytea || parameter.type.isText else {
            throw parameter.error("Bytes were given where the server expects \(parameter.type)")
        }
        parameter.writeBinary(bytes)
    }

    static func decode(_ value: PostgresValue) throws -> [UInt8] {
        guard value.type == .bytea || value.type.isText || !value.isBinary else { throw value.error() }
        if value.isBinary || value.type != .bytea { return value.withBytes { Array($0) } }
        return try decodeHexadecimal(value)
    }

    /// Reads `\x48656c6c6f`, the text format of `bytea`.
    private static func decodeHexadecimal(_ value: PostgresValue) throws -> [UInt8] {
        let bytes: [UInt8]? = value.withBytes { text in
            guard text.count.isMultiple(of: 2), text.starts(with: "\\x".utf8) else { return nil }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(text.count / 2 - 1)
            for index in stride(from: 2, to: text.count, by: 2) {
                guard let high = hexadecimalDigit(text[index]), let low = hexadecimalDigit(text[index + 1]) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            }
            return bytes
        }
        guard let bytes else { throw value.error("it is not in the hexadecimal format (the setting bytea_output)") }
        return bytes
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Data: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        try Bytes.encode(self, into: &parameter)
    }

    public init(from value: PostgresValue) throws {
        self.init(try Bytes.decode(value))
    }
}
