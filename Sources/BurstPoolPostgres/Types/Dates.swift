// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A `Date` is sent and read as `timestamptz`, as `timestamp` in UTC, or as `date` at midnight UTC.
extension Date: PostgresCodable {
    /// From Foundation's reference date, 1 January 2001, back to PostgreSQL's, 1 January 2000.
    private static let epochDifference = 366.0 * 86_400

    public func encode(into parameter: inout PostgresParameterWriter) throws {
        let seconds = timeIntervalSinceReferenceDate + Self.epochDifference
        if parameter.type == .date {
            // The least and the greatest number stand for infinity.
            let days = Int32(exactly: (seconds / 86_400).rounded(.down))
            guard let days, days != .min, days != .max else { throw parameter.error("The date is out of range") }
            return parameter.writeBinary(days)
        }
        // PostgreSQL's timestamps reach to the year 294276. NaN is out of range as well.
        guard abs(seconds) < 9_223_371_331_200 else { throw parameter.error("The date is out of range") }
        let microseconds = Int64((seconds * 1_000_000).rounded())
        switch parameter.type {
        case .timestamptz, .timestamp: parameter.writeBinary(microseconds)
        default: try parameter.writeText(TimestampText.format(microseconds: microseconds))
        }
    }

    public init(from value: PostgresValue) throws {
        let microseconds: Int64
        switch (value.type, value.isBinary) {
        case (.timestamptz, true), (.timestamp, true):
            microseconds = try value.wholeInteger(Int64.self)
            guard microseconds != .max, microseconds != .min else { throw value.error("it is infinite") }
        case (.date, true):
            let days = try value.wholeInteger(Int32.self)
            guard days != .max, days != .min else { throw value.error("it is infinite") }
            self.init(days: Int64(days))
            return
        case (.date, false):
            self.init(days: try Self.parse(value, TimestampText.parseDay))
            return
        case (.timestamptz, false), (.timestamp, false):
            microseconds = try Self.parse(value, TimestampText.parse)
        default: throw value.error()
        }
        self.init(timeIntervalSinceReferenceDate: Double(microseconds) / 1_000_000 - Self.epochDifference)
    }

    /// Midnight of a day that is given by the days since 1 January 2000. The years of a `date` go beyond what microseconds
    /// in 64 bits can count.
    private init(days: Int64) {
        self.init(timeIntervalSinceReferenceDate: Double(days) * 86_400 - Self.epochDifference)
    }

    private static func parse(_ value: PostgresValue, _ parse: (String) -> Int64?) throws -> Int64 {
        let text = try value.rawText
        guard let parsed = parse(text) else {
            throw value.error("\"\(text.prefix(64))\" is not a date that can be read")
        }
        return parsed
    }
}

/// Timestamps in PostgreSQL's `ISO` style, as microseconds since 1 January 2000.
enum TimestampText {
    static func format(microseconds: Int64) -> String {
        let (days, time) = divide(microseconds, 86_400_000_000)
        let (year, month, day) = civil(days: days)
        let (seconds, fraction) = divide(time, 1_000_000)
        func digits(_ number: Int64, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        let date = "\(digits(year > 0 ? year : 1 - year, 4))-\(digits(month, 2))-\(digits(day, 2))"
        let clock = "\(digits(seconds / 3600, 2)):\(digits(seconds / 60 % 60, 2)):\(digits(seconds % 60, 2))"
        return "\(date) \(clock).\(digits(fraction, 6))+00\(year > 0 ? "" : " BC")"
    }

    /// Reads `2026-11-30 12:00:00.123456+05:30`, with or without a time, a fraction, an offset and ` BC`.
    static func parse(_ text: String) -> Int64? {
        var scanner = Scanner(text)
        guard let (midnight, isTooLarge) = scanner.day()?.multipliedReportingOverflow(by: 86_400_000_000), !isTooLarge
        else { return nil }
        if scanner.rest.isEmpty { return midnight }

        guard scanner.skip(" "), let hour = scanner.number(2...2), scanner.skip(":"),
            let minute = scanner.number(2...2),
            scanner.skip(":"), let second = scanner.number(2...2), hour <= 24, minute < 60, second <= 60
        else { return nil }
        var microseconds = (hour * 3600 + minute * 60 + second) * 1_000_000
        if scanner.skip(".") {
            let digits = scanner.digits.utf8.count
            guard let fraction = scanner.number(1...6) else { return nil }
            microseconds += (digits..<6).reduce(fraction) { scaled, _ in scaled * 10 }
        }
        if let sign = scanner.rest.first, sign == "+" || sign == "-" {
            scanner.rest.removeFirst()
            guard var offset = scanner.number(2...2).map({ $0 * 3600 }) else { return nil }
            for unit in [Int64(60), 1] where scanner.skip(":") {
                guard let part = scanner.number(2...2) else { return nil }
                offset += part * unit
            }
            microseconds -= (sign == "+" ? offset : -offset) * 1_000_000
        }
        let (sum, overflows) = midnight.addingReportingOverflow(microseconds)
        return scanner.rest.isEmpty && !overflows ? sum : nil
    }

    /// Reads `2026-11-30`, with or without ` BC`, as days since 1 January 2000.
    static func parseDay(_ text: String) -> Int64? {
        var scanner = Scanner(text)
        let day = scanner.day()
        return scanner.rest.isEmpty ? day : nil
    }

    /// Reads the parts of a timestamp, except the ` BC` at its end, which it has removed.
    private struct Scanner {
        var rest: Substring
        private let isBeforeChrist: Bool

        init(_ text: String) {
            rest = Substring(text)
            isBeforeChrist = rest.hasSuffix(" BC")
            if isBeforeChrist { rest.removeLast(3) }
        }

        var digits: Substring { rest.prefix { ("0"..."9").contains($0) } }

        mutating func number(_ count: ClosedRange<Int>) -> Int64? {
            let digits = digits
            guard count.contains(digits.utf8.count) else { return nil }
            rest.removeFirst(digits.count)
            return Int64(digits)
        }

        mutating func skip(_ character: Character) -> Bool {
            guard rest.first == character else { return false }
            rest.removeFirst()
            return true
        }

        /// Reads a year, a month and a day, and returns the days since 1 January 2000.
        mutating func day() -> Int64? {
            // The last year of a `date` is 5874897.
            guard let year = number(4...7), skip("-"), let month = number(2...2), skip("-"), let day = number(2...2),
                (1...12).contains(month), (1...31).contains(day), year > 0
            else { return nil }
            return TimestampText.days(year: isBeforeChrist ? 1 - year : year, month: month, day: day)
        }
    }

    /// Divides so that the remainder is not negative.
    private static func divide(_ number: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    // The calendar in cycles of 400 years, with years that start in March so that the leap day is the last.

    private static let epochDays: Int64 = 730_425  // From 1 March of the year 0 to 1 January 2000.

    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (cycle, yearOfCycle) = divide(shifted, 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear - epochDays
    }

    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (cycle, dayOfCycle) = divide(days + epochDays, 146_097)
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0), month, day)
    }
}
