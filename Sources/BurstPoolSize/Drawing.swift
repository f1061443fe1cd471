// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Writes lines, curves and text as SVG.
struct Drawing {
    private let width: Double
    private let height: Double
    private var elements: [String] = []

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    var document: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="\(number(width))" height="\(number(height))" \
        viewBox="0 0 \(number(width)) \(number(height))" font-family="sans-serif">
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

    /// Draws lines between points, and the points.
    mutating func curve(_ points: [(x: Double, y: Double)], color: String) {
        let list = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
        elements.append("<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"/>")
        for point in points {
            elements.append("<circle cx=\"\(number(point.x))\" cy=\"\(number(point.y))\" r=\"3\" fill=\"\(color)\"/>")
        }
    }

    /// - Parameter anchor: `start`, `middle` or `end`.
    mutating func text(
        _ text: String,
        x: Double,
        y: Double,
        size: Int,
        anchor: String = "start",
        isBold: Bool = false
    ) {
        let weight = isBold ? " font-weight=\"bold\"" : ""
        elements.append(
            "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(size)\" text-anchor=\"\(anchor)\"\(weight)>\(Self.escaped(text))</text>"
        )
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
