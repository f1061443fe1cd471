// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The connections of all processes over time, stacked, with the budget and the faults.
struct FleetPicture {
    private let samples: [Sampler.Sample]
    private let faults: [Faults.Event]
    private let total: Int
    private let processes: Int
    private let seconds: Double

    private static let (width, height) = (900.0, 360.0)
    private static let (left, right, top, bottom) = (50.0, 880.0, 50.0, 300.0)

    init(_ samples: [Sampler.Sample], _ faults: [Faults.Event], total: Int, processes: Int) {
        // At most one sample for each half pixel.
        let step = max(1, samples.count / 1_600)
        self.samples = stride(from: 0, to: samples.count, by: step).map { samples[$0] }
        self.faults = faults
        self.total = total
        self.processes = processes
        seconds = max(1, samples.last?.second ?? 1)
    }

    func svg() -> String {
        var elements = [
            "<rect width=\"\(Self.width)\" height=\"\(Self.height)\" fill=\"#ffffff\"/>",
            text("Connections of \(processes) processes at the server, stacked", 50, 24, size: 15),
        ]
        var below = Array(repeating: 0, count: samples.count)
        for number in -1..<processes {
            let above = zip(below, samples).map { $0 + ($1.connections[number] ?? 0) }
            elements.append(band(below, above, "hsl(\((number + 1) * 360 / (processes + 1)), 55%, 60%)"))
            below = above
        }
        let budget = y(Double(total))
        elements.append(line(Self.left, budget, Self.right, budget, "#b91c1c", dashes: "6 4"))
        elements.append(text("the budget: \(total)", Self.right, budget - 6, anchor: "end", fill: "#b91c1c"))
        for level in stride(from: 0, through: total, by: 10) {
            elements.append(text("\(level)", Self.left - 8, y(Double(level)) + 4, anchor: "end"))
        }
        for second in stride(from: 0, through: Int(seconds), by: max(1, Int(seconds) / 12)) {
            elements.append(text("\(second) s", x(Double(second)), Self.bottom + 16, anchor: "middle"))
        }
        for fault in faults { elements += mark(fault) }
        let legend = [
            "▼ killed   ■ stopped   ◆ cut off from Redis",
            "Lines: Redis is restarted with its data (dotted), restarted without it (black), and fails over with lost writes (blue).",
        ]
        for (index, line) in legend.enumerated() {
            elements.append(text(line, 50, Self.height - 24 + 16 * Double(index)))
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.width) \(Self.height)" \
            font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">
            \(elements.joined(separator: "\n"))
            </svg>

            """
    }

    private func x(_ second: Double) -> Double { Self.left + (Self.right - Self.left) * second / seconds }

    private func y(_ connections: Double) -> Double {
        Self.bottom - (Self.bottom - Self.top) * connections / Double(total + 4)
    }

    private func band(_ below: [Int], _ above: [Int], _ fill: String) -> String {
        let there = zip(samples, above).map { point(x($0.second), y(Double($1))) }
        let back = zip(samples, below).map { point(x($0.second), y(Double($1))) }.reversed()
        return "<polygon points=\"\((there + back).joined(separator: " "))\" fill=\"\(fill)\"/>"
    }

    private func mark(_ fault: Faults.Event) -> [String] {
        let x = x(fault.second)
        switch fault.kind {
        case .kill: return [text("▼", x, Self.top - 4, anchor: "middle")]
        case .stop: return [text("■", x, Self.top - 4, anchor: "middle")]
        case .cut: return [text("◆", x, Self.top - 4, anchor: "middle")]
        case .restart: return [line(x, Self.top, x, Self.bottom, "#0f172a", dashes: "2 4")]
        case .loss: return [line(x, Self.top, x, Self.bottom, "#0f172a")]
        case .failover: return [line(x, Self.top, x, Self.bottom, "#1d4ed8")]
        }
    }

    private func point(_ x: Double, _ y: Double) -> String { String(format: "%.1f,%.1f", x, y) }

    private func line(
        _ x1: Double,
        _ y1: Double,
        _ x2: Double,
        _ y2: Double,
        _ stroke: String,
        dashes: String = ""
    ) -> String {
        String(format: "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" ", x1, y1, x2, y2)
            + "stroke=\"\(stroke)\" stroke-width=\"1.5\" stroke-dasharray=\"\(dashes)\"/>"
    }

    private func text(
        _ text: String,
        _ x: Double,
        _ y: Double,
        size: Int = 11,
        anchor: String = "start",
        fill: String = "#334155"
    ) -> String {
        String(format: "<text x=\"%.1f\" y=\"%.1f\" ", x, y)
            + "font-size=\"\(size)\" text-anchor=\"\(anchor)\" fill=\"\(fill)\">\(text)</text>"
    }
}
