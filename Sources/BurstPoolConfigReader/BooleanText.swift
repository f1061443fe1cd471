// SPDX-License-Identifier: Apache-2.0

/// Parses the usual spellings of the two truth values, in upper or lower case.
enum BooleanText {
    static let allowed = "true or false (also yes/no, on/off, 1/0)"

    /// Returns `nil` if the text is none of the spellings.
    static func parse(_ text: String) -> Bool? {
        switch text.trimmingSpaces.lowercased() {
        case "true", "t", "yes", "y", "on", "1", "enabled": true
        case "false", "f", "no", "n", "off", "0", "disabled": false
        default: nil
        }
    }
}
