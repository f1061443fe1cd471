// SPDX-License-Identifier: Apache-2.0

import BurstPoolConfigReader
import Configuration

/// Reads settings from environment variables, and collects all problems so that they can be reported together.
///
/// swift-configuration returns the default for a text that is not a number, which would hide a typing error. This reader
/// therefore reads numbers as text.
struct SettingsReader {
    let config: ConfigReader
    private var problems: [String] = []
    /// The values that were found, without secrets.
    private(set) var found: [(variable: String, value: String)] = []

    init(_ config: ConfigReader) {
        self.config = config
    }

    mutating func text(_ key: String, isSecret: Bool = false) -> String? {
        guard let text = config.string(forKey: ConfigKey(key), isSecret: isSecret) else { return nil }
        if text.isEmpty {
            complain(key, "is empty. Remove it to use the default.")
            return nil
        }
        note(key, isSecret ? "(secret)" : text)
        return text
    }

    mutating func number(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(key) else { return nil }
        guard let number = Int(text) else {
            complain(key, "is '\(text)', but must be a whole number.")
            return nil
        }
        guard range.contains(number) else {
            complain(key, "is \(number), but must be from \(range.lowerBound) to \(range.upperBound).")
            return nil
        }
        return number
    }

    mutating func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration? {
        guard let text = text(key) else { return nil }
        do throws(DurationText.ParseError) {
            let duration = try DurationText.parse(text)
            if range.contains(duration) { return duration }
            complain(key, "is '\(text)', but must be from \(range.lowerBound) to \(range.upperBound).")
        } catch {
            complain(key, "is '\(text)', but must be \(error).")
        }
        return nil
    }

    mutating func note(_ key: String, _ value: String) {
        found.append((Self.variable(key), value))
    }

    /// - Parameter problem: Completes the sentence that begins with the name of the variable.
    mutating func complain(_ key: String, _ problem: String) {
        problems.append("\(Self.variable(key)) \(problem)")
    }

    /// - Parameter sentence: A sentence that names the variable itself.
    mutating func complain(_ sentence: String) {
        problems.append(sentence)
    }

    func finish() throws(SettingsError) {
        if !problems.isEmpty { throw SettingsError(problems: problems) }
    }

    /// Returns the name that swift-configuration uses for a key in the environment.
    static func variable(_ key: String) -> String {
        key.reduce(into: "") { name, character in
            if character.isUppercase { name += "_" }
            name += character == "." ? "_" : character.uppercased()
        }
    }
}
