import BurstPool
import Configuration

/// Reads fields of a configuration, and does not mistake what cannot be read for what is not there.
struct FieldReader {
    let reader: ConfigReader
    /// What errors put before keys.
    private let prefix: String

    init(_ reader: ConfigReader, prefix: String = "") {
        self.reader = reader
        self.prefix = prefix
    }

    /// Reads a field if there is something at the key.
    func read<Value>(
        _ key: String,
        into field: inout Value,
        _ parse: (FieldReader) -> (String) throws(ReadError) -> Value?
    ) throws(ReadError) {
        if let value = try parse(self)(key) { field = value }
    }

    /// Reads a field if there is something at the key: `none` is `nil`.
    func readOptional<Value>(
        _ key: String,
        into field: inout Value?,
        _ parse: (FieldReader) -> (String) throws(ReadError) -> Value?
    ) throws(ReadError) {
        if case .text("none") = content(key) {
            field = nil
        } else if let value = try parse(self)(key) {
            field = value
        }
    }

    /// Reads a value of several fields, if it is enabled, or if there is something at one of their keys.
    func group<Value: Equatable>(
        _ key: String,
        _ standard: Value,
        _ read: (GroupReader, inout Value) throws(ReadError) -> Void
    ) throws(ReadError) -> Value? {
        let group = GroupReader(FieldReader(reader.scoped(to: ConfigKey(key)), prefix: "\(prefix)\(key)."))
        var value = standard
        try read(group, &value)
        return try group.isEnabled() ? value : nil
    }
}

/// Reads a value of several fields, and notes whether there was any.
final class GroupReader {
    private let fields: FieldReader
    private var foundOne = false

    init(_ fields: FieldReader) {
        self.fields = fields
    }

    func read<Value>(
        _ key: String,
        into field: inout Value,
        _ parse: (FieldReader) -> (String) throws(ReadError) -> Value?
    ) throws(ReadError) {
        guard let value = try parse(fields)(key) else { return }
        field = value
        foundOne = true
    }

    func isEnabled() throws(ReadError) -> Bool {
        try fields.flag("enabled") ?? foundOne
    }
}

// MARK: - Kinds of fields

extension FieldReader {
    func integer(_ key: String) throws(ReadError) -> Int? {
        switch content(key) {
        case nil: return nil
        case .integer(let value): return value
        case .text(let text):
            if let value = Int(text) { return value }
            throw invalid(key, text, "a whole number")
        case .number(let value): throw invalid(key, "\(value)", "a whole number")
        case .other(let text): throw invalid(key, text, "a whole number")
        }
    }

    func number(_ key: String) throws(ReadError) -> Double? {
        switch content(key) {
        case nil: return nil
        case .integer(let value): return Double(value)
        case .number(let value) where value.isFinite: return value
        case .number(let value): throw invalid(key, "\(value)", "a number")
        case .text(let text):
            if let value = Double(text), value.isFinite { return value }
            throw invalid(key, text, "a number")
        case .other(let text): throw invalid(key, text, "a number")
        }
    }

    func flag(_ key: String) throws(ReadError) -> Bool? {
        // Each provider has texts of its own for the two: `yes` and `1` in the environment.
        if let value = reader.bool(forKey: ConfigKey(key)) { return value }
        switch content(key) {
        case nil: return nil
        case .text("true"): return true
        case .text("false"): return false
        case .integer(let value): throw invalid(key, "\(value)", "true or false")
        case .number(let value): throw invalid(key, "\(value)", "true or false")
        case .text(let text), .other(let text): throw invalid(key, text, "true or false")
        }
    }

    func duration(_ key: String) throws(ReadError) -> Duration? {
        let duration: Duration?
        let text: String
        switch content(key) {
        case nil: return nil
        case .integer(let value): (duration, text) = (DurationText.duration(Double(value), .milliseconds), "\(value)")
        case .number(let value): (duration, text) = (DurationText.duration(value, .milliseconds), "\(value)")
        case .text(let value): (duration, text) = (DurationText.parse(value), value)
        case .other(let value): (duration, text) = (nil, value)
        }
        if let duration { return duration }
        throw invalid(key, text, "a number with a unit (ns, us, ms, s, m, h, d), or of milliseconds")
    }

    func closeErrors(_ key: String) throws(ReadError) -> ConnectionPoolConfiguration.CloseErrors? {
        switch content(key) {
        case nil: return nil
        case .text(let text):
            if let value = ConnectionPoolConfiguration.CloseErrors(rawValue: text) { return value }
            throw invalid(key, text, "thrown or reported")
        case .integer(let value): throw invalid(key, "\(value)", "thrown or reported")
        case .number(let value): throw invalid(key, "\(value)", "thrown or reported")
        case .other(let text): throw invalid(key, text, "thrown or reported")
        }
    }

    private func invalid(_ key: String, _ value: String, _ allowed: String) -> ReadError {
        .invalid(prefix + key, value, allowed: allowed)
    }
}
