import Configuration
import Foundation

/// Reads settings one after the other, and collects what is wrong with them, so that all of it is told at once.
///
/// The readers of swift-configuration that return numbers answer with the default when the text is not a number: a typing
/// error would go unnoticed. So numbers are read as texts here.
struct SettingsReader {
    let config: ConfigReader
    private var problems: [String] = []

    init(_ config: ConfigReader) {
        self.config = config
    }

    mutating func text(_ key: String, isSecret: Bool = false) -> String? {
        guard let text = config.string(forKey: ConfigKey(key), isSecret: isSecret) else { return nil }
        if text.isEmpty {
            complain(key, "is empty; leave it out to have the default")
            return nil
        }
        return text
    }

    mutating func number(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(key) else { return nil }
        guard let number = Int(text) else {
            complain(key, "is '\(text)', which is not a whole number")
            return nil
        }
        guard range.contains(number) else {
            complain(key, "is \(number), which is not from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    mutating func milliseconds(_ key: String, in range: ClosedRange<Int>) -> Duration? {
        number(key, in: range).map { .milliseconds($0) }
    }

    /// - Parameter problem: Completes the sentence that begins with the variable's name.
    mutating func complain(_ key: String, _ problem: String) {
        problems.append("\(Self.variable(key)) \(problem)")
    }

    /// - Parameter sentence: Names the variable itself.
    mutating func complain(_ sentence: String) {
        problems.append(sentence)
    }

    func finish() throws(SettingsError) {
        if !problems.isEmpty { throw SettingsError(problems: problems) }
    }

    /// The name that swift-configuration gives a key in the environment.
    static func variable(_ key: String) -> String {
        key.reduce(into: "") { name, character in
            if character.isUppercase { name += "_" }
            name += character == "." ? "_" : character.uppercased()
        }
    }
}
