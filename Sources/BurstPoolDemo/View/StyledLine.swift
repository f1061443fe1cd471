// SPDX-License-Identifier: Apache-2.0

/// A line of colored text that can be cut to a width without cutting a color's control sequence.
struct StyledLine {
    enum Style: String {
        case plain = ""
        case bold = "1"
        case faint = "2"
        case blue = "38;5;33"
        case lightBlue = "38;5;117"
        case green = "38;5;71"
        case amber = "38;5;214"
        case red = "38;5;203"
        case violet = "38;5;141"
        case grey = "38;5;240"
    }

    private var spans: [(text: String, style: Style)] = []
    private(set) var width = 0

    init(_ text: String = "", _ style: Style = .plain) {
        if !text.isEmpty { add(text, style) }
    }

    /// Adds text. All characters of the demo take one column.
    mutating func add(_ text: String, _ style: Style = .plain) {
        spans.append((text, style))
        width += text.count
    }

    /// Adds spaces up to a column.
    mutating func pad(to column: Int) {
        if width < column { add(String(repeating: " ", count: column - width)) }
    }

    func rendered(width: Int, color: Bool) -> String {
        var room = width
        var result = ""
        for (text, style) in spans where room > 0 {
            let part = text.prefix(room)
            room -= part.count
            result += color && style != .plain ? "\u{1B}[\(style.rawValue)m\(part)\u{1B}[0m" : String(part)
        }
        return result
    }
}
