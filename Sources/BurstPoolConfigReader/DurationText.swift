/// Durations as people write them: a number and a unit.
enum DurationText {
    enum Unit: String, CaseIterable {
        case nanoseconds = "ns"
        case microseconds = "us"
        case milliseconds = "ms"
        case seconds = "s"
        case minutes = "m"
        case hours = "h"
        case days = "d"

        var inNanoseconds: Double {
            switch self {
            case .nanoseconds: 1
            case .microseconds: 1e3
            case .milliseconds: 1e6
            case .seconds: 1e9
            case .minutes: 60e9
            case .hours: 3600e9
            case .days: 86400e9
            }
        }
    }

    /// `nil`: it is no duration, or one of more than 292 years.
    static func parse(_ text: String) -> Duration? {
        let number = text.prefix { $0.isASCII && !$0.isLetter && !$0.isWhitespace }
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        guard let value = Double(number), let unit = unit.isEmpty ? .milliseconds : Unit(rawValue: String(unit)) else {
            return nil
        }
        return duration(value, unit)
    }

    static func duration(_ value: Double, _ unit: Unit) -> Duration? {
        let nanoseconds = (value * unit.inNanoseconds).rounded()
        return Int64(exactly: nanoseconds).map { .nanoseconds($0) }
    }
}
