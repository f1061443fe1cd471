// SPDX-License-Identifier: Apache-2.0

import FuzzHarness

/// Generates random valid replies.
package enum RandomReply {
    /// - Parameter depth: The maximum depth of nested arrays.
    package static func wire(depth: Int, using random: inout SeededRandom) -> [UInt8] {
        switch random.number(0...(depth > 0 ? 7 : 5)) {
        case 0: return Array("+\(line(using: &random))\r\n".utf8)
        case 1: return Array("-ERR \(line(using: &random))\r\n".utf8)
        case 2:
            return Array(":\(random.element(of: [0, 1, -1, Int.max, Int.min, random.number(-1000...1000)]))\r\n".utf8)
        case 3: return Array(random.element(of: ["$-1\r\n", "*-1\r\n", "$0\r\n\r\n", "*0\r\n"]).utf8)
        case 4, 5:
            let bytes = (0..<random.number(0...20)).map { _ in
                random.element(of: [0, 13, 10, 0x24, 0x41, 0xFF]) as UInt8
            }
            return Array("$\(bytes.count)\r\n".utf8) + bytes + [13, 10]
        default:
            let count = random.number(0...4)
            return (0..<count).reduce(into: Array("*\(count)\r\n".utf8)) { wire, _ in
                wire += Self.wire(depth: depth - 1, using: &random)
            }
        }
    }

    private static func line(using random: inout SeededRandom) -> String {
        (0..<random.number(0...12)).map { _ in random.element(of: ["a", "OK", " ", "ä", "\r", "\n", "0", ""]) }.joined()
    }
}
