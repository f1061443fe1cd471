// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import FuzzHarness

/// Generates values, most of them in a form that a server could send.
enum RandomValue {
    static func input(using random: inout SeededRandom) -> [UInt8] {
        let index = random.number(0...ValueProperties.types.count - 1)
        let isBinary = random.oneIn(2)
        let bytes = isBinary ? binary(using: &random) : text(using: &random)
        return [UInt8(index), isBinary ? 1 : 0] + bytes
    }

    private static func binary(using random: inout SeededRandom) -> [UInt8] {
        switch random.number(0...4) {
        case 0: return noise(random.element(of: [1, 2, 4, 8, 16]), using: &random)
        case 1: return noise(random.number(0...40), using: &random)
        case 2: return numeric(using: &random)
        default: return array(using: &random)
        }
    }

    private static func noise(_ count: Int, using random: inout SeededRandom) -> [UInt8] {
        (0..<count).map { _ in
            UInt8(random.oneIn(3) ? random.element(of: [0, 1, 0x7F, 0x80, 0xFF]) : random.number(0...255))
        }
    }

    /// A `numeric`: the number of its digits, the weight of the first one, the sign and the scale.
    private static func numeric(using random: inout SeededRandom) -> [UInt8] {
        let digits = (0..<random.number(0...12)).map { _ in random.number(0...9_999) }
        let sign = random.element(of: [0, 0, 0, 0x4000, 0xC000, 0xD000, 0xF000])
        let header = [digits.count, random.number(-70...70), sign, random.number(0...300)]
        return (header + digits).flatMap { withUnsafeBytes(of: Int16(truncatingIfNeeded: $0).bigEndian, Array.init) }
    }

    /// An array: its dimensions, whether it has NULL, the type of its elements, their number, the first index, and the
    /// elements with their lengths.
    private static func array(using random: inout SeededRandom) -> [UInt8] {
        let count = random.number(0...4)
        let element = random.element(of: ValueProperties.types.filter { $0.element == nil })
        let header = [count == 0 ? 0 : 1, random.number(0...1), Int(element.oid)] + (count == 0 ? [] : [count, 1])
        func integer(_ number: Int) -> [UInt8] {
            withUnsafeBytes(of: Int32(truncatingIfNeeded: number).bigEndian, Array.init)
        }
        let size = random.element(of: [0, 1, 2, 4, 8, 16])
        return header.flatMap(integer)
            + (0..<count).flatMap { _ in
                random.oneIn(4) ? integer(-1) : integer(size) + noise(size, using: &random)
            }
    }

    private static func text(using random: inout SeededRandom) -> [UInt8] {
        switch random.number(0...3) {
        case 0: return (0..<random.number(0...4)).flatMap { _ in random.element(of: Words.ofValues) }
        case 1:
            let whole = (0..<random.number(1...45)).map { _ in String(random.number(0...9)) }.joined()
            let fraction = (0..<random.number(0...45)).map { _ in String(random.number(0...9)) }.joined()
            return Array(((random.oneIn(2) ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + fraction)).utf8)
        case 2:
            func two(_ range: ClosedRange<Int>) -> String {
                let number = String(random.number(range))
                return number.utf8.count < 2 ? "0" + number : number
            }
            let day = "\(random.number(1_000...9_999))-\(two(1...12))-\(two(1...28))"
            let time = " \(two(0...23)):\(two(0...59)):\(two(0...59))"
            return Array((day + random.element(of: ["", time, time + ".25+02", time + " BC"])).utf8)
        default:
            let elements = (0..<random.number(0...4)).map { _ in
                random.element(of: ["NULL", "1", "\"\"", "\"a\\\"b\"", "abc", "\"\\\\x00\"", "-2.50", "t"])
            }
            return Array(("{" + elements.joined(separator: ",") + "}").utf8)
        }
    }
}
