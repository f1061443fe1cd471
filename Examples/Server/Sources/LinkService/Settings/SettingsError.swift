// SPDX-License-Identifier: Apache-2.0

/// All problems of the settings. Each one is a sentence that names the environment variable.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    public let problems: [String]

    public var description: String { problems.joined(separator: "\n") }
}
