// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// PostgreSQL's text format of arrays, such as `{1,NULL,"with \"quotes\""}`.
enum ArrayText {
    static func format<Element: PostgresEncodable>(
        _ array: [Element],
        _ parameter: PostgresParameterWriter
    ) throws -> String {
        var bytes = [UInt8(ascii: "{")]
        for element in array {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            // Every value has a text, and text in the binary format is text as well.
            var writer = PostgresParameterWriter(type: .text)
            try element.encode(into: &writer)
            if writer.form == .null { bytes += "NULL".utf8 } else { appendQuoted(writer.bytes, to: &bytes) }
        }
        bytes.append(UInt8(ascii: "}"))
        // Bytes that are not text would become other bytes.
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw parameter.error("An element of the array is not valid UTF-8")
        }
        return text
    }

    /// Appends an element with quotes around it. It works on bytes because a quote and a combining character after it are
    /// one character of Swift, which differs from a quote.
    private static func appendQuoted(_ element: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in element {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    static func decode<Element: PostgresDecodable>(_ value: PostgresValue) throws -> [Element] {
        guard let elements = value.withBytes({ parse($0) }) else {
            throw value.error("it is not an array with one dimension")
        }
        let type = value.type.element ?? .text
        return try elements.map { element in
            try Element.decode(element.map { TextResult.value($0, type: type) })
        }
    }

    /// Returns the elements, with `nil` for NULL; or `nil` if it is not an array with one dimension.
    static func parse(_ text: UnsafeRawBufferPointer) -> [[UInt8]?]? {
        var rest = text[...]
        // Bounds other than from 1, such as `[0:2]={1,2,3}`.
        if rest.first == UInt8(ascii: "[") {
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            rest = rest[(equals + 1)...]
        }
        guard rest.popFirst() == UInt8(ascii: "{") else { return nil }
        if rest.elementsEqual("}".utf8) { return [] }
        var elements: [[UInt8]?] = []
        while true {
            guard let element = parseElement(&rest) else { return nil }
            elements.append(element.bytes)
            switch rest.popFirst() {
            case UInt8(ascii: ","): continue
            case UInt8(ascii: "}"): return rest.isEmpty ? elements : nil
            default: return nil
            }
        }
    }

    private static func parseElement(_ rest: inout Slice<UnsafeRawBufferPointer>) -> (bytes: [UInt8]?, Void)? {
        var bytes: [UInt8] = []
        if rest.first == UInt8(ascii: "\"") {
            rest.removeFirst()
            while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: "\""): return (bytes, ())
                case UInt8(ascii: "\\"):
                    guard let escaped = rest.popFirst() else { return nil }
                    bytes.append(escaped)
                default: bytes.append(byte)
                }
            }
            return nil
        }
        while let byte = rest.first, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}") {
            // An inner array, or a quote where none can be.
            guard byte != UInt8(ascii: "{"), byte != UInt8(ascii: "\"") else { return nil }
            bytes.append(byte)
            rest.removeFirst()
        }
        if bytes.isEmpty { return nil }
        return (bytes.elementsEqual("NULL".utf8) ? nil : bytes, ())
    }
}

/// Makes values of text that is not part of a result.
enum TextResult {
    /// Returns a value with a copy of the bytes.
    static func value(_ bytes: [UInt8], type: PostgresType) -> PostgresValue {
        make(bytes, type: type, isBinary: false)
    }

    static func make(_ bytes: [UInt8], type: PostgresType, isBinary: Bool) -> PostgresValue {
        let result = QueryResult(PQmakeEmptyPGresult(nil, PGRES_TUPLES_OK))
        let copy = PQresultAlloc(result.pointer, bytes.count + 1)!
        bytes.withUnsafeBytes { copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: $0.count) }
        return PostgresValue(
            bytes: UnsafeRawBufferPointer(start: copy, count: bytes.count),
            type: type,
            isBinary: isBinary,
            owner: result
        )
    }
}
