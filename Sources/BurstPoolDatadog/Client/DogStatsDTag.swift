// SPDX-License-Identifier: Apache-2.0

/// A tag of a metric, an event or a service check: `key:value`, or a value alone.
///
/// A tag may contain letters and digits of any script and `_ - : . /`. Every other character becomes an underscore, as at
/// Datadog, including the characters of the protocol (`,` `|` `#` and line breaks). Datadog also converts tags to lower case,
/// requires a letter at the start, and truncates tags after 200 characters; the client leaves that to Datadog.
///
/// Creating a tag reads its text once, so keep a tag that is used often.
public struct DogStatsDTag: Sendable, Hashable {
    /// The tag as it is sent. An empty tag is not sent.
    let text: String

    /// Creates a tag with a key and a value.
    ///
    /// A `:` in the key becomes an underscore, because the first `:` of a tag ends its key. If the key or the value is empty,
    /// the tag is the other one alone.
    public init(_ key: String, _ value: String) {
        if key.isEmpty || value.isEmpty {
            text = Self.sanitized(key.isEmpty ? value : key, replacingColons: value.isEmpty)
        } else {
            text = "\(Self.sanitized(key, replacingColons: true)):\(Self.sanitized(value, replacingColons: false))"
        }
    }

    /// Creates a tag from `key:value` or from a value alone. The first `:` ends the key. An empty tag is not sent.
    public init(_ text: String) {
        self.text = Self.sanitized(text, replacingColons: false)
    }
}

extension DogStatsDTag: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) { self.init(text) }
}

extension DogStatsDTag: CustomStringConvertible {
    /// The tag as it is sent.
    public var description: String { text }
}

extension DogStatsDTag {
    private static func sanitized(_ text: String, replacingColons: Bool) -> String {
        let isAllowed = { (scalar: Unicode.Scalar) in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/": true
            case ":": !replacingColons
            case _ where scalar.isASCII: false
            default: scalar.properties.isLetterOrDigit
            }
        }
        if text.unicodeScalars.allSatisfy(isAllowed) { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { result.append(isAllowed(scalar) ? scalar : "_") }
        return String(result)
    }
}

extension Unicode.Scalar.Properties {
    /// Whether the character is a letter, a digit, or a combining mark, which many scripts need to write a letter.
    fileprivate var isLetterOrDigit: Bool {
        switch generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        case .nonspacingMark, .spacingMark: true
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: false
        }
    }
}
