// SPDX-License-Identifier: Apache-2.0

/// Arrays with one dimension, whose elements may be NULL. An array of `UInt8` is `bytea`.
extension Array: PostgresEncodable where Element: PostgresEncodable {
    public func encode(into parameter: inout PostgresParameterWriter) throws {
        try Element.encodeArray(self, into: &parameter)
    }
}

extension Array: PostgresDecodable where Element: PostgresDecodable {
    public init(from value: PostgresValue) throws {
        self = try Element.decodeArray(value)
    }
}

extension PostgresEncodable {
    public static func encodeArray(_ array: [Self], into parameter: inout PostgresParameterWriter) throws {
        guard !isNested(Self.self) else {
            throw parameter.error("Arrays of arrays are not supported")
        }
        if let element = parameter.type.element, let binary = try BinaryArray.encode(array, element: element) {
            parameter.writeBinary(binary)
        } else {
            try parameter.writeText(try ArrayText.format(array, parameter))
        }
    }
}

extension PostgresDecodable {
    public static func decodeArray(_ value: PostgresValue) throws -> [Self] {
        guard !isNested(Self.self) else {
            throw value.error("arrays of arrays are not supported")
        }
        return value.isBinary ? try BinaryArray.decode(value) : try ArrayText.decode(value)
    }
}

/// Tells arrays apart from other types.
private protocol ArrayMarker {}
extension Array: ArrayMarker {}

/// Whether an array of these elements has more than one dimension. `[UInt8]` is a single value of type `bytea`.
private func isNested<Element>(_ element: Element.Type) -> Bool {
    element is any ArrayMarker.Type && element != [UInt8].self
}

/// PostgreSQL's binary format of arrays.
enum BinaryArray {
    /// Returns `nil` if an element can only be sent as text.
    static func encode<Element: PostgresEncodable>(_ array: [Element], element: PostgresType) throws -> [UInt8]? {
        var hasNull = false
        var body: [UInt8] = []
        for value in array {
            var writer = PostgresParameterWriter(type: element)
            try value.encode(into: &writer)
            switch writer.form {
            case .text: return nil
            case .null:
                hasNull = true
                append(Int32(-1), to: &body)
            case .binary:
                append(Int32(writer.bytes.count), to: &body)
                body += writer.bytes
            }
        }
        var bytes: [UInt8] = []
        append(Int32(array.isEmpty ? 0 : 1), to: &bytes)  // Dimensions.
        append(Int32(hasNull ? 1 : 0), to: &bytes)
        append(Int32(bitPattern: element.oid), to: &bytes)
        if array.isEmpty { return bytes }
        append(Int32(array.count), to: &bytes)
        append(Int32(1), to: &bytes)  // The first index.
        return bytes + body
    }

    private static func append(_ number: Int32, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    static func decode<Element: PostgresDecodable>(_ value: PostgresValue) throws -> [Element] {
        guard value.type.element != nil else { throw value.error() }
        let dimensions = try value.integer(Int32.self)
        if dimensions == 0 { return [] }
        guard dimensions == 1 else { throw value.error("it has \(dimensions) dimensions, and only one is supported") }
        let element = PostgresType(oid: try value.integer(UInt32.self, at: 8))
        let count = Int(try value.integer(Int32.self, at: 12))
        // Each element takes at least the four bytes of its length.
        guard count >= 0, count <= (value.count - 20) / 4 else { throw value.error("its length is wrong") }
        var offset = 20
        var array: [Element] = []
        array.reserveCapacity(count)
        for _ in 0..<count {
            let length = Int(try value.integer(Int32.self, at: offset))
            offset += 4
            if length < 0 {
                array.append(try Element.decode(nil))
            } else {
                array.append(try Element.decode(try value.part(offset..<offset + length, type: element)))
                offset += length
            }
        }
        guard offset == value.count else { throw value.error("its length is wrong") }
        return array
    }
}
