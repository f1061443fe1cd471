// SPDX-License-Identifier: Apache-2.0

/// Collects the keys that a reader asked for, and the values that it found.
final class ReadKeys {
    private(set) var known: [String] = []
    private(set) var values: [(key: String, value: String)] = []

    func note(_ key: String, _ content: FieldContent?) {
        known.append(key)
        if let content { values.append((key, content.description)) }
    }
}
