// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

enum UUIDText {
    /// Returns the 36 characters of a `uuid` in the binary format, in lower case as PostgreSQL writes them.
    static func text(_ value: PostgresValue) throws -> String {
        try UUID(from: value).uuidString.lowercased()
    }
}

extension UUID: PostgresCodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        if parameter.type == .uuid {
            withUnsafeBytes(of: uuid) { parameter.writeBinary($0) }
        } else {
            try parameter.writeText(uuidString.lowercased())
        }
    }

    public init(from value: PostgresValue) throws {
        if value.isBinary, value.type == .uuid {
            guard value.count == 16 else { throw value.error("it has \(value.count) bytes") }
            self.init(uuid: value.withBytes { $0.loadUnaligned(as: uuid_t.self) })
        } else {
            guard value.type == .uuid || value.type.isText else { throw value.error() }
            let text = try value.rawText
            guard let uuid = UUID(uuidString: text) else { throw value.error("\"\(text.prefix(64))\" is not a UUID") }
            self = uuid
        }
    }
}
