// SPDX-License-Identifier: Apache-2.0

import BurstPoolSizing
import Foundation

/// Draws the waits by `maxSize` as SVG: one panel without a burst limit, and one with.
struct Picture {
    private static let quantiles: [(share: Double, name: String, color: String)] = [
        (0.5, "p50", "#9ecae1"), (0.9, "p90", "#4292c6"), (0.99, "p99", "#08519c"), (0.999, "p99.9", "#d94801"),
    ]
    private static let panel = (width: 420.0, height: 280.0, left: 70.0, top: 84.0, gap: 70.0)

    private let report: SizeReport
    private let sizes: [Int]
    /// Powers of ten, in seconds. Waits below the first one are drawn on it.
    private let powers: ClosedRange<Int>

    init(_ report: SizeReport) {
        self.report = report
        sizes = Array(Set(report.table.map(\.policy.maxSize))).sorted()
        let waits = report.table.filter(\.hasSteadyWaits).flatMap { forecast in
            Self.quantiles.map { forecast.wait(quantile: $0.share).inSeconds }
        }
        let top = Int(log10(max(waits.max() ?? 0, 1e-3)).rounded(.up))
        powers = (top - 4)...top
    }

    func svg() -> String {
        let plain = report.table.filter { $0.policy.burstLimit == nil }
        let bursting = largestBurst(report.table.filter { $0.policy.burstLimit != nil })
        let panels = bursting.isEmpty ? 1 : 2
        let width = Self.panel.left + Double(panels) * (Self.panel.width + Self.panel.gap)
        var drawing = Drawing(width: width, height: Self.panel.top + Self.panel.height + 86)
        drawing.text("How long callers wait, by maxSize", x: Self.panel.left, y: 28, size: 18, isBold: true)
        drawing.text(
            "\(report.settings.load.use.mean.text) for each use, \(report.settings.load.connect.mean.text) to connect; recommended: \(report.recommendation)",
            x: Self.panel.left,
            y: 50,
            size: 13
        )
        draw(plain, "Without burstLimit", at: Self.panel.left, in: &drawing)
        if !bursting.isEmpty {
            let x = Self.panel.left + Self.panel.width + Self.panel.gap
            draw(
                bursting,
                report.settings.burstLimits == nil ? "burstLimit 2 × maxSize" : "With the greatest burstLimit",
                at: x,
                in: &drawing
            )
        }
        drawLegend(in: &drawing)
        return drawing.document
    }

    /// One forecast for each `maxSize`.
    private func largestBurst(_ forecasts: [PoolForecast]) -> [PoolForecast] {
        sizes.compactMap { size in
            forecasts.filter { $0.policy.maxSize == size }.max { $0.policy.hardLimit < $1.policy.hardLimit }
        }
    }

    private func draw(_ forecasts: [PoolForecast], _ title: String, at left: Double, in drawing: inout Drawing) {
        let right = left + Self.panel.width
        let bottom = Self.panel.top + Self.panel.height
        drawing.text(title, x: left, y: Self.panel.top - 10, size: 14, isBold: true)
        for power in powers {
            let y = y(pow(10, Double(power)))
            drawing.line(left, y, right, y, color: "#dddddd")
            let label = Duration.seconds(pow(10, Double(power))).text
            drawing.text(
                power == powers.lowerBound ? "≤ \(label)" : label,
                x: left - 6,
                y: y + 4,
                size: 12,
                anchor: "end"
            )
        }
        for size in sizes {
            let x = x(size, left)
            if size == report.advice.policy.maxSize {
                drawing.line(x, Self.panel.top, x, bottom, color: "#888888", isDashed: true)
            }
            drawing.text("\(size)", x: x, y: bottom + 18, size: 12, anchor: "middle")
        }
        for forecast in forecasts where !forecast.hasSteadyWaits {
            drawing.text(
                "grows",
                x: x(forecast.policy.maxSize, left),
                y: Self.panel.top + 14,
                size: 11,
                anchor: "middle"
            )
        }
        drawing.text("maxSize (dashed: recommended)", x: (left + right) / 2, y: bottom + 38, size: 12, anchor: "middle")
        for quantile in Self.quantiles {
            let points = forecasts.filter(\.hasSteadyWaits).map { forecast in
                (x(forecast.policy.maxSize, left), y(forecast.wait(quantile: quantile.share).inSeconds))
            }
            drawing.curve(points, color: quantile.color)
        }
    }

    private func drawLegend(in drawing: inout Drawing) {
        var x = Self.panel.left
        let y = Self.panel.top + Self.panel.height + 66
        for quantile in Self.quantiles {
            drawing.curve([(x, y - 4), (x + 24, y - 4)], color: quantile.color)
            drawing.text("\(quantile.name) of the wait", x: x + 32, y: y, size: 12)
            x += 140
        }
    }

    private func x(_ size: Int, _ left: Double) -> Double {
        let position = Double(sizes.firstIndex(of: size) ?? 0)
        return left + Self.panel.width * (position + 0.5) / Double(max(1, sizes.count))
    }

    private func y(_ seconds: Double) -> Double {
        let power = log10(max(seconds, 1e-12))
        let share = (power - Double(powers.lowerBound)) / Double(powers.count - 1)
        return Self.panel.top + Self.panel.height * (1 - min(max(share, 0), 1))
    }
}
