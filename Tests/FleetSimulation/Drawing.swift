// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Writes lines, bars and text as SVG.
struct Drawing {
    private let width: Double
    private let height: Double
    private let title: String
    private var elements: [String] = []

    /// - Parameter title: What a reader who cannot see the picture is told.
    init(width: Double, height: Double, title: String) {
        self.width = width
        self.height = height
        self.title = title
    }

    var document: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="\(number(width))" height="\(number(height))" \
        viewBox="0 0 \(number(width)) \(number(height))" role="img" font-family="sans-serif">
        <title>\(title)</title>
        <rect width="100%" height="100%" fill="white"/>
        \(elements.joined(separator: "\n"))
        </svg>

        """
    }

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: String, isDashed: Bool = false) {
        let dashes = isDashed ? " stroke-dasharray=\"5 4\"" : ""
        elements.append(
            "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"\(color)\"\(dashes)/>"
        )
    }

    mutating func curve(_ points: [(x: Double, y: Double)], color: String, isDashed: Bool = false) {
        let list = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
        let dashes = isDashed ? " stroke-dasharray=\"4 3\"" : ""
        elements.append(
            "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.6\"\(dashes)/>"
        )
    }

    mutating func bar(x: Double, y: Double, width: Double, height: Double, color: String) {
        elements.append(
            "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" height=\"\(number(height))\" fill=\"\(color)\"/>"
        )
    }

    /// - Parameter anchor: `start`, `middle` or `end`.
    mutating func text(_ text: String, x: Double, y: Double, size: Int, anchor: String = "start", isBold: Bool = false)
    {
        let weight = isBold ? " font-weight=\"bold\"" : ""
        elements.append(
            "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(size)\" text-anchor=\"\(anchor)\"\(weight)>\(text)</text>"
        )
    }

    private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
