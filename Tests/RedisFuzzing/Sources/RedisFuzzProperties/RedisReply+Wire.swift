// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis

extension RedisReply {
    /// The reply as a server sends it.
    var wire: [UInt8] {
        switch self {
        case .simpleString(let text): Array("+\(text)\r\n".utf8)
        case .error(let error): Array("-\(error.message)\r\n".utf8)
        case .integer(let value): Array(":\(value)\r\n".utf8)
        case .bulkString(let bytes): Array("$\(bytes.count)\r\n".utf8) + bytes + Array("\r\n".utf8)
        case .array(let elements): Array("*\(elements.count)\r\n".utf8) + elements.flatMap(\.wire)
        case .null: Array("$-1\r\n".utf8)
        }
    }

    /// Returns the bytes after this reply; `nil` if they do not begin with it.
    ///
    /// An independent implementation of the protocol. Null has two encodings, and text that is not valid UTF-8 has many;
    /// every other reply has one.
    func rest(of bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        switch self {
        case .simpleString(let text): Self.rest(of: bytes, type: "+", line: text)
        case .error(let error): Self.rest(of: bytes, type: "-", line: error.message)
        case .integer, .bulkString: bytes.starts(with: wire) ? bytes.dropFirst(wire.count) : nil
        case .array(let elements):
            elements.reduce(Self.rest(of: bytes, type: "*", line: "\(elements.count)")) { rest, element in
                rest.flatMap { element.rest(of: $0) }
            }
        case .null: Self.rest(of: bytes, type: "$", line: "-1") ?? Self.rest(of: bytes, type: "*", line: "-1")
        }
    }

    private static func rest(of bytes: ArraySlice<UInt8>, type: Unicode.Scalar, line: String) -> ArraySlice<UInt8>? {
        guard bytes.first == UInt8(ascii: type) else { return nil }
        let text = bytes.dropFirst()
        let end = text.indices.dropLast().first { text[$0...].starts(with: "\r\n".utf8) }
        guard let end, String(decoding: text[..<end], as: UTF8.self).utf8.elementsEqual(line.utf8) else { return nil }
        return text[(end + 2)...]
    }
}
