// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Chart {
    /// Returns the chart as an SVG document that suits light and dark pages.
    func svg() -> String {
        switch content {
        case .bars(let bars): BarChart(title: title, unit: yLabel, bars: bars).svg()
        case .lines(let lines, let xLabel): LineChart(title: title, unit: yLabel, xLabel: xLabel, lines: lines).svg()
        }
    }
}

/// The style that all charts share.
private enum Style {
    static let sheet = """
        <style>
          text { font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f }
          .title { font-size: 16px; font-weight: 600 }
          .soft { fill: #6e7781; font-size: 12px }
          .grid { stroke: #d0d7de; stroke-width: 1 }
          .bar { fill: #afb8c1 } .ours { fill: #0969da }
          .whisker { stroke: #24292f; stroke-width: 1.2 }
          .background { fill: #ffffff }
          @media (prefers-color-scheme: dark) {
            text { fill: #e6edf3 } .soft { fill: #8b949e } .grid { stroke: #30363d }
            .bar { fill: #484f58 } .ours { fill: #388bfd } .whisker { stroke: #e6edf3 } .background { fill: #0d1117 }
          }
        </style>
        """
    static let lineColors = ["#0969da", "#cf222e", "#1a7f37", "#8250df", "#bf8700", "#57606a"]

    static func document(width: Double, height: Double, title: String, body: String) -> String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" \
        width="\(number(width))" height="\(number(height))" role="img" aria-label="\(escaped(title))">
        \(sheet)
        <rect class="background" width="100%" height="100%" rx="6"/>
        <text class="title" x="20" y="30">\(escaped(title))</text>
        \(body)</svg>

        """
    }

    static func number(_ value: Double) -> String {
        String(format: "%.1f", value)
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }
}

/// Horizontal bars, so that their names are readable, with whiskers from quartile to quartile.
private struct BarChart {
    var title: String
    var unit: String
    var bars: [Chart.Bar]

    private let nameWidth = 300.0
    private let barLength = 400.0
    private let rowHeight = 30.0
    private let top = 62.0

    func svg() -> String {
        let longest = bars.map { finite(max($0.value.upperQuartile, $0.value.median)) }.max() ?? 1
        let shortest = bars.map { finite($0.value.median) }.filter { $0 > 0 }.min() ?? 1
        // If one value dwarfs the others, equal lengths mean equal factors.
        let isLogarithmic = longest / shortest > 30
        let floor = shortest / 2
        func length(_ value: Double) -> Double {
            guard value > 0, longest > 0 else { return 0 }
            return isLogarithmic
                ? barLength * log(max(value / floor, 1)) / log(longest / floor) : barLength * value / longest
        }
        var body = "<text class=\"soft\" x=\"20\" y=\"50\">\(Style.escaped(unit))"
        body += "\(isLogarithmic ? ", logarithmic" : ""); less is better; whiskers: quartiles</text>\n"
        for (index, bar) in bars.enumerated() {
            let y = top + Double(index) * rowHeight
            let middle = y + rowHeight / 2
            let median = length(bar.value.median)
            let lower = nameWidth + length(bar.value.lowerQuartile)
            let upper = nameWidth + length(bar.value.upperQuartile)
            body += """
                <text x="\(Style.number(nameWidth - 10))" y="\(Style.number(middle + 4))" text-anchor="end">\
                \(Style.escaped(bar.label))</text>
                <rect class="bar\(bar.isOurs ? " ours" : "")" x="\(Style.number(nameWidth))" \
                y="\(Style.number(y + 5))" width="\(Style.number(max(median, 1)))" \
                height="\(Style.number(rowHeight - 10))" rx="2"/>
                <path class="whisker" fill="none" d="M\(Style.number(lower)) \(Style.number(middle))H\(Style.number(upper))\
                M\(Style.number(lower)) \(Style.number(middle - 4))v8M\(Style.number(upper)) \(Style.number(middle - 4))v8"/>
                <text x="\(Style.number(max(upper, nameWidth + median) + 8))" y="\(Style.number(middle + 4))">\
                \(short(bar.value.median))</text>

                """
        }
        let height = top + Double(bars.count) * rowHeight + 20
        return Style.document(width: nameWidth + barLength + 90, height: height, title: title, body: body)
    }

    private func finite(_ value: Double) -> Double {
        value.isFinite ? value : 0
    }
}

/// Lines over powers of ten, with whiskers from quartile to quartile.
private struct LineChart {
    var title: String
    var unit: String
    var xLabel: String
    var lines: [Chart.Line]

    private let left = 70.0
    private let top = 66.0
    private let width = 520.0
    private let height = 260.0
    private let legendWidth = 250.0

    func svg() -> String {
        let points = lines.flatMap(\.points)
        let xs = points.map { log10($0.x) }
        let xMin = xs.min() ?? 0
        let xMax = max(xs.max() ?? 1, xMin + 1e-9)
        let yMax = points.map { max($0.value.median, $0.value.upperQuartile) }.filter(\.isFinite).max() ?? 1
        let step = Self.step(for: yMax)
        let yTop = max((yMax / step).rounded(.up) * step, step)
        func x(_ value: Double) -> Double { left + width * (log10(value) - xMin) / (xMax - xMin) }
        func y(_ value: Double) -> Double { top + height * (1 - value / yTop) }

        var body = "<text class=\"soft\" x=\"20\" y=\"50\">\(Style.escaped(unit)); whiskers: quartiles</text>\n"
        for tick in stride(from: 0, through: yTop + step / 2, by: step) {
            body +=
                "<path class=\"grid\" d=\"M\(Style.number(left)) \(Style.number(y(tick)))h\(Style.number(width))\"/>"
            body += "<text class=\"soft\" x=\"\(Style.number(left - 8))\" y=\"\(Style.number(y(tick) + 4))\" "
            body += "text-anchor=\"end\">\(short(tick))</text>\n"
        }
        for value in Set(points.map(\.x)).sorted() {
            body += "<text class=\"soft\" x=\"\(Style.number(x(value)))\" y=\"\(Style.number(top + height + 18))\" "
            body += "text-anchor=\"middle\">\(short(value))</text>\n"
        }
        body += "<text class=\"soft\" x=\"\(Style.number(left + width / 2))\" "
        body += "y=\"\(Style.number(top + height + 38))\" text-anchor=\"middle\">\(Style.escaped(xLabel))</text>\n"
        for (index, line) in lines.enumerated() {
            let color = Style.lineColors[index % Style.lineColors.count]
            let path = line.points.map { "\(Style.number(x($0.x))) \(Style.number(y($0.value.median)))" }
            body += "<path fill=\"none\" stroke=\"\(color)\" stroke-width=\"\(line.isOurs ? "2.6" : "1.8")\" "
            body += "d=\"M\(path.joined(separator: "L"))\"/>\n"
            for point in line.points {
                let px = Style.number(x(point.x))
                body += "<path stroke=\"\(color)\" d=\"M\(px) \(Style.number(y(point.value.lowerQuartile)))"
                body += "V\(Style.number(y(point.value.upperQuartile)))\"/>"
                body +=
                    "<circle cx=\"\(px)\" cy=\"\(Style.number(y(point.value.median)))\" r=\"3\" fill=\"\(color)\"/>\n"
            }
            let legendY = top + 10 + Double(index) * 24
            body += "<path stroke=\"\(color)\" stroke-width=\"3\" d=\"M\(Style.number(left + width + 18)) "
            body += "\(Style.number(legendY))h18\"/><text x=\"\(Style.number(left + width + 42))\" "
            body += "y=\"\(Style.number(legendY + 4))\">\(Style.escaped(line.label))</text>\n"
        }
        return Style.document(
            width: left + width + legendWidth,
            height: top + height + 56,
            title: title,
            body: body
        )
    }

    /// Returns a round distance between grid lines, for about five lines.
    private static func step(for greatest: Double) -> Double {
        guard greatest > 0 else { return 1 }
        let power = pow(10, floor(log10(greatest / 5)))
        return [1, 2, 5, 10].map { $0 * power }.first { greatest / $0 <= 6 } ?? 10 * power
    }
}
