// SPDX-License-Identifier: Apache-2.0

import Configuration

/// The value at a key, in the type that the provider has for it.
enum FieldContent {
    case integer(Int)
    case number(Double)
    case flag(Bool)
    case text(String)
    /// A value of a type that no setting has, described for an error message.
    case other(String)

    /// The value as text.
    var description: String {
        switch self {
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .flag(let value): "\(value)"
        case .text(let value), .other(let value): value
        }
    }
}

extension FieldReader {
    /// Returns the value at a key, or `nil` if there is none.
    ///
    /// A `ConfigReader` also returns `nil` for a value of another type than the requested one. So this function asks for every
    /// type: a list where a number is required must be an error, and must not be ignored.
    func content(_ key: String) -> FieldContent? {
        let key = ConfigKey(key)
        if let value = reader.int(forKey: key) { return .integer(value) }
        if let value = reader.double(forKey: key) { return .number(value) }
        if let value = reader.string(forKey: key) { return .text(value) }
        if let value = reader.bool(forKey: key) { return .flag(value) }
        if let value = reader.stringArray(forKey: key) { return .other("\(value)") }
        if let value = reader.intArray(forKey: key) { return .other("\(value)") }
        if let value = reader.doubleArray(forKey: key) { return .other("\(value)") }
        if let value = reader.boolArray(forKey: key) { return .other("\(value)") }
        if let value = reader.bytes(forKey: key) { return .other("\(value.count) bytes") }
        if let value = reader.byteChunkArray(forKey: key) { return .other("\(value.count) chunks of bytes") }
        return nil
    }
}
