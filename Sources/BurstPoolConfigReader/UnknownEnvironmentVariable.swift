// SPDX-License-Identifier: Apache-2.0

/// An environment variable that has the prefix of the variables of a pool or a fleet and is not a setting, probably because it is
/// misspelt.
public struct UnknownEnvironmentVariable: Sendable, Hashable, CustomStringConvertible {
    /// The name of the variable.
    public let name: String
    /// The setting with the most similar name; `nil` if no name is similar.
    public let suggestion: String?
    /// What has the settings: `pool` or `fleet`.
    let owner: String

    public var description: String {
        "\(name) is not a setting of the \(owner) and is ignored." + (suggestion.map { " Did you mean \($0)?" } ?? "")
    }

    /// Returns the variables that have the prefix and whose names are not those of known keys, in alphabetical order.
    static func all(in environment: [String: String], prefix: String, known keys: [String], owner: String) -> [Self] {
        let known = keys.map { prefix + EnvironmentName.of($0) }
        return environment.keys
            .filter { $0.hasPrefix(prefix) && !known.contains($0) }
            .sorted()
            .map { Self(name: $0, suggestion: EnvironmentName.closest(to: $0, in: known), owner: owner) }
    }
}
