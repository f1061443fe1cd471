// SPDX-License-Identifier: Apache-2.0

/// A value that is stored and echoed. It names the visitor that made it and its purpose, is unique, and has a checksum.
///
/// An intact reply with another content than expected belongs to another caller: it is a wrong reply. A reply that is
/// not intact was spoiled by the proxy. Every change of a single byte is noticed, because each step of the checksum
/// (FNV-1a) is a permutation.
struct Token: Sendable, Equatable {
    let visitor: Int
    let visit: Int
    let bytes: [UInt8]

    /// - Parameter part: Distinguishes the tokens of one visit, and their purposes.
    init(life: Int, visitor: Int, visit: Int, part: String, padding: Int = 0) {
        self.visitor = visitor
        self.visit = visit
        let text = "\(life).\(visitor).\(visit).\(part)." + String(repeating: "~", count: padding)
        bytes = Array("\(text)#\(Self.checksum(text.utf8))".utf8)
    }

    /// Parses a token. Returns `nil` if the bytes are not an intact token.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.lastIndex(of: UInt8(ascii: "#")) else { return nil }
        guard Self.checksum(bytes[..<end]).utf8.elementsEqual(bytes[(end + 1)...]) else { return nil }
        let fields = bytes[..<end].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard fields.count == 5, let visitor = Int(String(decoding: fields[1], as: UTF8.self)),
            let visit = Int(String(decoding: fields[2], as: UTF8.self))
        else { return nil }
        (self.visitor, self.visit, self.bytes) = (visitor, visit, bytes)
    }

    private static func checksum(_ bytes: some Sequence<UInt8>) -> String {
        let sum = bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(sum, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
