// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Builds an SVG picture.
struct SVG {
    private let width: Double
    private let height: Double
    private var elements: [String] = []

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    /// The picture as a document.
    var document: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" \
        width="\(number(width))" height="\(number(height))" \
        font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="12">
        \(elements.joined(separator: "\n"))
        </svg>

        """
    }

    mutating func rectangle(
        _ x: Double,
        _ y: Double,
        _ width: Double,
        _ height: Double,
        fill: String,
        radius: Double = 0
    ) {
        let corners = radius > 0 ? " rx=\"\(number(radius))\"" : ""
        elements.append(
            "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(max(0, width)))\" "
                + "height=\"\(number(max(0, height)))\" fill=\"\(fill)\"\(corners)/>"
        )
    }

    mutating func line(
        _ x1: Double,
        _ y1: Double,
        _ x2: Double,
        _ y2: Double,
        stroke: String,
        width: Double = 1,
        dashes: String? = nil
    ) {
        let dashes = dashes.map { " stroke-dasharray=\"\($0)\"" } ?? ""
        elements.append(
            "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" "
                + "stroke=\"\(stroke)\" stroke-width=\"\(number(width))\"\(dashes)/>"
        )
    }

    enum Anchor: String {
        case start, middle, end
    }

    mutating func text(
        _ text: String,
        _ x: Double,
        _ y: Double,
        fill: String = "#334155",
        size: Double = 12,
        anchor: Anchor = .start,
        isBold: Bool = false
    ) {
        let weight = isBold ? " font-weight=\"bold\"" : ""
        elements.append(
            "<text x=\"\(number(x))\" y=\"\(number(y))\" fill=\"\(fill)\" font-size=\"\(number(size))\" "
                + "text-anchor=\"\(anchor.rawValue)\"\(weight)>\(Self.escape(text))</text>"
        )
    }

    mutating func polyline(_ points: [(x: Double, y: Double)], stroke: String, width: Double) {
        elements.append(
            "<polyline points=\"\(list(points))\" fill=\"none\" stroke=\"\(stroke)\" "
                + "stroke-width=\"\(number(width))\" stroke-linejoin=\"round\"/>"
        )
    }

    /// Adds the area between a line and a base.
    mutating func area(
        _ points: [(x: Double, y: Double)],
        base: Double,
        fill: String,
        opacity: Double,
        clip: String? = nil
    ) {
        guard let first = points.first, let last = points.last else { return }
        let outline = [(x: first.x, y: base)] + points + [(x: last.x, y: base)]
        let clip = clip.map { " clip-path=\"url(#\($0))\"" } ?? ""
        elements.append(
            "<polygon points=\"\(list(outline))\" fill=\"\(fill)\" fill-opacity=\"\(number(opacity))\"\(clip)/>"
        )
    }

    /// Adds a rectangle to which elements can be clipped.
    mutating func clip(_ id: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        elements.append(
            "<clipPath id=\"\(id)\"><rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(max(0, width)))\" "
                + "height=\"\(number(max(0, height)))\"/></clipPath>"
        )
    }

    // MARK: -

    static func escape(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }

    private func list(_ points: [(x: Double, y: Double)]) -> String {
        points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    }

    /// Returns a number with at most one decimal.
    private func number(_ value: Double) -> String {
        let text = String(format: "%.1f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
