// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Configuration

/// Reads the settings of a configuration. A value that cannot be parsed is an error and is never treated as missing.
struct FieldReader {
    let reader: ConfigReader
    let keys: ReadKeys
    /// The keys of the enclosing groups, each followed by a dot.
    private let prefix: String

    init(_ reader: ConfigReader, _ keys: ReadKeys, prefix: String = "") {
        self.reader = reader
        self.keys = keys
        self.prefix = prefix
    }

    /// Reads a setting if there is a value at the key.
    func read<Value>(_ key: String, into field: inout Value, _ parse: Parser<Value>) throws(ReadError) {
        if let value = try value(key, parse) { field = value }
    }

    /// Reads an optional setting if there is a value at the key. The text `none` means `nil`.
    func readOptional<Value>(_ key: String, into field: inout Value?, _ parse: Parser<Value>) throws(ReadError) {
        guard let content = noted(key) else { return }
        if case .text(let text) = content, text.trimmingSpaces.lowercased() == "none" {
            field = nil
        } else {
            field = try parsed(key, content, parse)
        }
    }

    /// Returns the value at a key, or `nil` if there is none.
    func value<Value>(_ key: String, _ parse: Parser<Value>) throws(ReadError) -> Value? {
        guard let content = noted(key) else { return nil }
        return try parsed(key, content, parse)
    }

    private func noted(_ key: String) -> FieldContent? {
        let content = content(key)
        keys.note(prefix + key, content)
        return content
    }

    private func parsed<Value>(_ key: String, _ content: FieldContent, _ parse: Parser<Value>) throws(ReadError)
        -> Value
    {
        do throws(Expected) {
            return try parse.parse(content)
        } catch {
            throw .invalid(prefix + key, content.description, allowed: error.description)
        }
    }

    /// Reads a setting that consists of several values below its key.
    ///
    /// The setting is on if its key is true, if the key `enabled` below it is true, or if neither exists and there is one of
    /// its values. `false` or `none` at its key, or `false` at `enabled`, turns it off.
    func readGroup<Value>(
        _ key: String,
        into field: inout Value?,
        default standard: Value,
        _ read: (FieldReader, inout Value) throws(ReadError) -> Void
    ) throws(ReadError) {
        let isOn = try value(key, .groupSwitch)
        let found = keys.settings.count
        let group = FieldReader(reader.scoped(to: ConfigKey(key)), keys, prefix: "\(prefix)\(key).")
        var value = field ?? standard
        try read(group, &value)
        let hasValues = keys.settings.count > found
        let isEnabled = try group.value("enabled", .boolean)
        if let isOn, let isEnabled, isOn != isEnabled {
            throw .contradiction(prefix + key, "\(isOn)", "\(prefix)\(key).enabled", "\(isEnabled)")
        }
        switch isOn ?? isEnabled {
        case true?: field = value
        case false?: field = nil
        case nil: if hasValues { field = value }
        }
    }
}
