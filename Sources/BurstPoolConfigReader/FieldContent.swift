import Configuration

/// What is at a key, of whatever type the provider has it.
enum FieldContent {
    case integer(Int)
    case number(Double)
    case text(String)
    /// Nothing that a field could be made of, described for an error.
    case other(String)
}

extension FieldReader {
    /// What is at a key; `nil` if there is nothing.
    ///
    /// A reader gives `nil` also for what is there and of another type, so all types are asked for: a list where a number
    /// should be is an error, and must not go for nothing.
    func content(_ key: String) -> FieldContent? {
        let key = ConfigKey(key)
        if let value = reader.int(forKey: key) { return .integer(value) }
        if let value = reader.double(forKey: key) { return .number(value) }
        if let value = reader.string(forKey: key) { return .text(value) }
        if let value = reader.bool(forKey: key) { return .other("\(value)") }
        if let value = reader.stringArray(forKey: key) { return .other("\(value)") }
        if let value = reader.intArray(forKey: key) { return .other("\(value)") }
        if let value = reader.doubleArray(forKey: key) { return .other("\(value)") }
        if let value = reader.boolArray(forKey: key) { return .other("\(value)") }
        if let value = reader.bytes(forKey: key) { return .other("\(value.count) bytes") }
        if let value = reader.byteChunkArray(forKey: key) { return .other("\(value.count) pieces of bytes") }
        return nil
    }
}
