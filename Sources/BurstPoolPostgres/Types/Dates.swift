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
        // PostgreSQL's timestamps reach to the year 294276. NaN is out of range as well.
        guard abs(seconds) < 9_223_371_331_200 else { throw parameter.error("The date is out of range") }
        switch parameter.type {
        case .timestamptz, .timestamp: parameter.writeBinary(Int64((seconds * 1_000_000).rounded()))
        case .date: parameter.writeBinary(Int32((seconds / 86_400).rounded(.down)))
        default: try parameter.writeText(TimestampText.format(microseconds: Int64((seconds * 1_000_000).rounded())))
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
            // The years of a `date` go beyond what microseconds in 64 bits can count.
            self.init(timeIntervalSinceReferenceDate: Double(days) * 86_400 - Self.epochDifference)
            return
        case (.timestamptz, false), (.timestamp, false), (.date, false):
            let text = try value.rawText
            guard let parsed = TimestampText.parse(text) else {
                throw value.error("\"\(text.prefix(64))\" is not a date that can be read")
            }
            microseconds = parsed
        default: throw value.error()
        }
        self.init(timeIntervalSinceReferenceDate: Double(microseconds) / 1_000_000 - Self.epochDifference)
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
        var rest = Substring(text)
        let isBeforeChrist = rest.hasSuffix(" BC")
        if isBeforeChrist { rest.removeLast(3) }

        func number(_ digits: ClosedRange<Int>) -> Int64? {
            let prefix = rest.prefix { ("0"..."9").contains($0) }
            guard digits.contains(prefix.utf8.count) else { return nil }
            rest.removeFirst(prefix.count)
            return Int64(prefix)
        }
        func skip(_ character: Character) -> Bool {
            guard rest.first == character else { return false }
            rest.removeFirst()
            return true
        }

        guard let year = number(4...6), skip("-"), let month = number(2...2), skip("-"), let day = number(2...2),
            (1...12).contains(month), (1...31).contains(day), year > 0
        else { return nil }
        let (midnight, isTooLarge) = days(year: isBeforeChrist ? 1 - year : year, month: month, day: day)
            .multipliedReportingOverflow(by: 86_400_000_000)
        if isTooLarge { return nil }
        if rest.isEmpty { return midnight }

        guard skip(" "), let hour = number(2...2), skip(":"), let minute = number(2...2), skip(":"),
            let second = number(2...2), hour <= 24, minute < 60, second <= 60
        else { return nil }
        var microseconds = (hour * 3600 + minute * 60 + second) * 1_000_000
        if skip(".") {
            let digits = rest.prefix { ("0"..."9").contains($0) }.utf8.count
            guard let fraction = number(1...6) else { return nil }
            microseconds += (digits..<6).reduce(fraction) { scaled, _ in scaled * 10 }
        }
        if let sign = rest.first, sign == "+" || sign == "-" {
            rest.removeFirst()
            guard var offset = number(2...2).map({ $0 * 3600 }) else { return nil }
            for unit in [Int64(60), 1] where skip(":") {
                guard let part = number(2...2) else { return nil }
                offset += part * unit
            }
            microseconds -= (sign == "+" ? offset : -offset) * 1_000_000
        }
        let (sum, overflows) = midnight.addingReportingOverflow(microseconds)
        return rest.isEmpty && !overflows ? sum : nil
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
