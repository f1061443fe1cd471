// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// What a value must be, for an error message. It completes the sentence "The value must be …".
struct Expected: Error {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Converts the value at a key into the type of a setting.
struct Parser<Value> {
    let parse: (FieldContent) throws(Expected) -> Value

    init(_ parse: @escaping (FieldContent) throws(Expected) -> Value) { self.parse = parse }
}

extension Parser<Int> {
    static var integer: Self {
        Self { content throws(Expected) in
            switch content {
            case .integer(let value): return value
            case .text(let text): if let value = Int(text.trimmingSpaces) { return value }
            default: break
            }
            throw Expected("a whole number")
        }
    }
}

extension Parser<Double> {
    static var number: Self {
        Self { content throws(Expected) in
            switch content {
            case .integer(let value): return Double(value)
            case .number(let value) where value.isFinite: return value
            case .text(let text):
                if let value = Double(text.trimmingSpaces), value.isFinite { return value }
            default: break
            }
            throw Expected("a number")
        }
    }
}

extension Parser<Bool> {
    static var boolean: Self {
        Self { content throws(Expected) in
            switch content {
            case .flag(let value): return value
            case .integer(0): return false
            case .integer(1): return true
            case .text(let text): if let value = BooleanText.parse(text) { return value }
            default: break
            }
            throw Expected(BooleanText.allowed)
        }
    }

    /// The value at the key of a group of settings.
    static var groupSwitch: Self {
        Self { content throws(Expected) in
            if case .text(let text) = content, text.trimmingSpaces.lowercased() == "none" { return false }
            do throws(Expected) {
                return try Parser.boolean.parse(content)
            } catch {
                throw Expected("true, false or none; the group's values are set at the keys below it")
            }
        }
    }
}

extension Parser<Duration> {
    static var duration: Self {
        Self { content throws(Expected) in
            switch content {
            case .integer, .number, .text:
                do throws(DurationText.ParseError) {
                    return try DurationText.parse(content.description)
                } catch {
                    throw Expected(error.description)
                }
            default: throw Expected("a duration with a unit, such as 250ms or 5s")
            }
        }
    }
}

extension Parser<String> {
    static var text: Self {
        Self { content throws(Expected) in
            switch content {
            case .text(let text): return text
            case .integer, .number, .flag: return content.description
            case .other: throw Expected("a text")
            }
        }
    }
}

extension Parser<ConnectionPoolConfiguration.CloseErrors> {
    static var closeErrors: Self {
        Self { content throws(Expected) in
            if case .text(let text) = content,
                let value = ConnectionPoolConfiguration.CloseErrors(rawValue: text.trimmingSpaces.lowercased())
            {
                return value
            }
            throw Expected("thrown or reported")
        }
    }
}
