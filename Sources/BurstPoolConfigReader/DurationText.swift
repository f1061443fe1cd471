// SPDX-License-Identifier: Apache-2.0

/// Parses durations that consist of a number and a unit, such as `250ms`, `1.5s` or `5m`.
///
/// The units are ns, us, ms, s, m, h and d. A number without a unit is not a duration, because nobody can tell whether it means
/// seconds or milliseconds.
public enum DurationText {
    /// The reason why a text is not a duration.
    public struct ParseError: Error, Sendable, Hashable, CustomStringConvertible {
        /// What the text must be, in English. It completes the sentence "The value must be …".
        public let description: String
    }

    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86400e9),
    ]

    /// Returns the duration that a text describes.
    ///
    /// - Throws: ``ParseError`` if the text is not a number with a unit, or the duration exceeds 292 years.
    public static func parse(_ text: String) throws(ParseError) -> Duration {
        let text = text.trimmingSpaces
        let number = text.prefix { $0.isASCII && !$0.isLetter && !$0.isWhitespace }
        let unit = text.dropFirst(number.count).trimmingSpaces.lowercased()
        guard let value = Double(number) else {
            throw ParseError(description: "a number with a unit (ns, us, ms, s, m, h, d), such as 250ms or 5s")
        }
        guard !unit.isEmpty else {
            throw ParseError(description: "a duration with a unit, such as \(number)ms or \(number)s")
        }
        guard let factor = units.first(where: { $0.name == unit })?.nanoseconds else {
            throw ParseError(description: "a duration with one of the units ns, us, ms, s, m, h, d")
        }
        guard let nanoseconds = Int64(exactly: (value * factor).rounded()) else {
            throw ParseError(description: "a duration below 292 years")
        }
        return .nanoseconds(nanoseconds)
    }
}

extension StringProtocol {
    var trimmingSpaces: String {
        var rest = Substring(self).drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
