// SPDX-License-Identifier: Apache-2.0

import BurstPoolSizing

/// Reads durations and lists of sizes from arguments.
enum ArgumentValues {
    private static let units: [(name: String, seconds: Double)] = [
        ("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1), ("min", 60), ("h", 3600),
    ]

    /// Reads a number with a unit, such as `5ms` or `1.5 s`.
    static func duration(_ text: String) throws(SizeFailure) -> Duration {
        let isPartOfNumber = { (character: Character) in character.isNumber || ".,+-".contains(character) }
        let number = text.prefix(while: isPartOfNumber)
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        guard let value = Double(number), value.isFinite else {
            throw SizeFailure("\"\(text)\" is not a duration. Write a number with a unit, such as 5ms or 1.5s.")
        }
        guard let factor = units.first(where: { $0.name == unit })?.seconds else {
            let reason = unit.isEmpty ? "has no unit" : "has the unknown unit \"\(unit)\""
            throw SizeFailure("The duration \"\(text)\" \(reason). The units are ns, us, ms, s, min and h.")
        }
        guard value >= 0, value * factor <= PoolLoad.greatestDuration.inSeconds else {
            throw SizeFailure("The duration \"\(text)\" is out of range. It must be at least 0 and at most 1h.")
        }
        return .nanoseconds(Int64((value * factor * 1e9).rounded()))
    }

    /// Reads sizes that are separated by commas, such as `4,8,16`.
    static func sizes(_ text: String) throws(SizeFailure) -> [Int] {
        var sizes: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let size = Int(part.filter { $0 != " " }), (1...PoolPolicy.largestSize).contains(size) else {
                throw SizeFailure(
                    "\"\(part)\" in \"\(text)\" is not a number of connections from 1 to \(PoolPolicy.largestSize). Write numbers with commas between them, such as 4,8,16."
                )
            }
            sizes.append(size)
        }
        guard sizes.count <= 64 else {
            throw SizeFailure("\"\(text)\" has \(sizes.count) sizes. At most 64 can be compared.")
        }
        return Array(Set(sizes)).sorted()
    }
}
