// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Duration {
    var inSeconds: Double { self / .seconds(1) }

    /// The duration as a time in the run: `  3.2 s`.
    var asClock: String { String(format: "%5.1f s", inSeconds) }

    /// The duration with a suitable unit: `12 µs`, `3.4 ms`, `1.25 s`.
    var asLatency: String {
        let microseconds = self / .microseconds(1)
        return switch microseconds {
        case ..<9.95: String(format: "%.1f µs", microseconds)
        case ..<999.5: String(format: "%.0f µs", microseconds)
        case ..<9_950: String(format: "%.2f ms", microseconds / 1e3)
        case ..<999_500: String(format: "%.1f ms", microseconds / 1e3)
        default: String(format: "%.2f s", microseconds / 1e6)
        }
    }
}

extension Int {
    /// The number in groups of three digits: `1,234,567`.
    var grouped: String {
        var digits = String(magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (self < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }

    func padded(to width: Int) -> String { "\(self)".padded(leadingTo: width) }
}

extension Double {
    /// A rate without decimals.
    var asRate: String { Int(rounded()).grouped }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }

    func padded(leadingTo width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }

    var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
