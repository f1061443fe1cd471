// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Duration {
    /// The duration for people, with two or three significant digits: `0`, `250 µs`, `5.2 ms`, `30 s`.
    package var text: String {
        let seconds = inSeconds
        guard seconds > 0 else { return "0" }
        let (value, unit): (Double, String) =
            seconds < 0.000_999_5
            ? (seconds * 1_000_000, "µs") : seconds < 0.999_5 ? (seconds * 1000, "ms") : (seconds, "s")
        let text = String(format: value < 9.95 ? "%.1f" : "%.0f", value)
        return "\(text.hasSuffix(".0") ? String(text.dropLast(2)) : text) \(unit)"
    }
}
