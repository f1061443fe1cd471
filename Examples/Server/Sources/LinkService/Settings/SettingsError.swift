/// All that is wrong with the settings, each in a sentence that names the variable.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    public let problems: [String]

    public var description: String { problems.joined(separator: "\n") }
}
