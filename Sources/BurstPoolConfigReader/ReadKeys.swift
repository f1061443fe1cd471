// SPDX-License-Identifier: Apache-2.0

/// Collects the keys that a reader asked for, and the values that it found.
final class ReadKeys {
    private(set) var known: [String] = []
    private(set) var settings: [ConnectionPoolConfigurationReading.Setting] = []

    func note(_ key: String, _ content: FieldContent?) {
        known.append(key)
        if let content { settings.append(.init(key: key, value: content.description)) }
    }
}
