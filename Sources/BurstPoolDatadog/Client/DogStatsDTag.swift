/// A tag of a metric, an event or a service check: `key:value`, or a value alone.
///
/// A tag may contain letters and digits of any script and `_ - : . /`. Every other character, among them those that the
/// protocol uses itself (`,` `|` `#` and line breaks), becomes an underscore, as Datadog does it. Datadog moreover
/// converts tags to lower case, wants them to start with a letter, and cuts them off after 200 characters: that is left
/// to it.
///
/// Making a tag costs a pass over its text; a tag that is used often is best kept.
public struct DogStatsDTag: Sendable, Hashable {
    /// The tag as it is sent. Empty: it is not sent.
    let text: String

    /// A tag with a key and a value.
    ///
    /// A `:` in the key becomes an underscore, because the first one ends the key. If one of the two is empty, the other
    /// is the tag.
    public init(_ key: String, _ value: String) {
        if key.isEmpty || value.isEmpty {
            text = Self.sanitized(key.isEmpty ? value : key, replacingColons: value.isEmpty)
        } else {
            text = "\(Self.sanitized(key, replacingColons: true)):\(Self.sanitized(value, replacingColons: false))"
        }
    }

    /// A tag as one text: `key:value`, where the first `:` ends the key, or a value alone. An empty one is not sent.
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
    /// Marks count as well: in many scripts a letter is written with them.
    fileprivate var isLetterOrDigit: Bool {
        switch generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        case .nonspacingMark, .spacingMark: true
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: false
        }
    }
}
