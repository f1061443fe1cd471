// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Draws two minutes of one fleet with faults, and the share of the burst demand that each policy has served at once.
struct FleetPicture {
    private static let colors = (
        wanted: "#888888", staticSplit: "#d94801", slowFleet: "#9ecae1", fleet: "#08519c", oracle: "#41ab5d"
    )
    private static let top = 98.0
    private static let height = 280.0
    private static let left = 70.0
    private static let timeWidth = 560.0
    private static let barsLeft = 700.0
    private static let barsWidth = 420.0
    private static let shownTime = 120.0

    /// For each number of processes, the result with the longest time until a release, and that with the shortest.
    private let results: [(slow: FleetResult, fast: FleetResult)]

    init(_ results: [FleetResult]) {
        let bySize = Dictionary(grouping: results.filter(\.scenario.hasFaults), by: \.scenario.processes)
        self.results = bySize.sorted { $0.key < $1.key }.compactMap { _, results in
            let sorted = results.sorted { $0.scenario.releaseAfter > $1.scenario.releaseAfter }
            guard let slow = sorted.first, let fast = sorted.last else { return nil }
            return (slow, fast)
        }
    }

    private var bottom: Double { Self.top + Self.height }

    func svg() -> String {
        var drawing = Drawing(
            width: Self.barsLeft + Self.barsWidth + 30,
            height: bottom + 86,
            title: "How much of the demand in bursts a fleet serves at once, compared with a static split and an oracle"
        )
        drawing.text("How well a fleet serves bursts, with faults", x: Self.left, y: 28, size: 18, isBold: true)
        drawing.text(
            "Simulated: a fifth of the processes has a burst at any moment, and bursts move from process to process.",
            x: Self.left,
            y: 50,
            size: 13
        )
        // A fleet of medium size shows single processes less and the faults more.
        drawTime(results[results.count / 2].fast, in: &drawing)
        drawBars(in: &drawing)
        drawLegend(in: &drawing)
        return drawing.document
    }

    // MARK: Over time

    private func drawTime(_ result: FleetResult, in drawing: inout Drawing) {
        let moments = result.fleet.service.seconds
        let end = result.fleet.now.inSeconds
        // Around the first loss of data that leaves time to see what follows.
        let start = max(
            FleetScenario.warmUp.inSeconds,
            min((result.fleet.losses.first { $0 > FleetScenario.warmUp }?.inSeconds ?? 0) - 45, end - Self.shownTime)
        )
        let shown = moments.filter { $0.at.inSeconds >= start && $0.at.inSeconds <= start + Self.shownTime }
        let right = Self.left + Self.timeWidth
        let most = shown.map(\.bursts.wanted).max() ?? 1
        let unit = pow(10, floor(log10(most)))
        let limit = (most / unit).rounded(.up) * unit
        func x(_ seconds: Double) -> Double { Self.left + (seconds - start) / Self.shownTime * Self.timeWidth }
        func y(_ connections: Double) -> Double { bottom - connections / limit * Self.height }

        drawing.text(
            "\(result.scenario.processes) processes: connections wanted in bursts, and served at once",
            x: Self.left,
            y: Self.top - 22,
            size: 14,
            isBold: true
        )
        for part in 0...4 {
            let value = limit * Double(part) / 4
            drawing.line(Self.left, y(value), right, y(value), color: "#dddddd")
            drawing.text(String(format: "%.0f", value), x: Self.left - 6, y: y(value) + 4, size: 12, anchor: "end")
        }
        for part in 0...6 {
            let seconds = Self.shownTime * Double(part) / 6
            drawing.text(
                String(format: "%.0f s", seconds),
                x: x(start + seconds),
                y: bottom + 18,
                size: 12,
                anchor: "middle"
            )
        }
        for loss in result.fleet.losses.map(\.inSeconds) where loss >= start && loss <= start + Self.shownTime {
            drawing.line(x(loss), Self.top, x(loss), bottom, color: "#888888", isDashed: true)
            drawing.text("store loses data", x: x(loss) + 5, y: Self.top + 12, size: 12)
        }
        func points(_ value: (FleetService.Served) -> Double) -> [(x: Double, y: Double)] {
            shown.map { (x($0.at.inSeconds), y(value($0.bursts))) }
        }
        drawing.curve(points(\.wanted), color: Self.colors.wanted)
        drawing.curve(points(\.oracle), color: Self.colors.oracle, isDashed: true)
        drawing.curve(points(\.staticSplit), color: Self.colors.staticSplit)
        drawing.curve(points(\.fleet), color: Self.colors.fleet)
    }

    // MARK: By size

    private func drawBars(in drawing: inout Drawing) {
        let right = Self.barsLeft + Self.barsWidth
        func y(_ share: Double) -> Double { bottom - share * Self.height }
        drawing.text(
            "Burst demand that was served at once",
            x: Self.barsLeft,
            y: Self.top - 22,
            size: 14,
            isBold: true
        )
        for part in 0...4 {
            let share = Double(part) / 4
            drawing.line(Self.barsLeft, y(share), right, y(share), color: "#dddddd")
            drawing.text("\(25 * part) %", x: Self.barsLeft - 6, y: y(share) + 4, size: 12, anchor: "end")
        }
        let group = Self.barsWidth / Double(results.count)
        let width = min(40, group / 5)
        for (index, result) in results.enumerated() {
            let middle = Self.barsLeft + group * (Double(index) + 0.5)
            let bars = [
                (result.fast.staticSplit, Self.colors.staticSplit), (result.slow.ofFleet, Self.colors.slowFleet),
                (result.fast.ofFleet, Self.colors.fleet), (result.fast.oracle, Self.colors.oracle),
            ]
            for (place, (share, color)) in bars.enumerated() {
                let x = middle + (Double(place) - 2) * width
                drawing.bar(x: x + 1, y: y(share), width: width - 2, height: share * Self.height, color: color)
                drawing.text(
                    String(format: "%.0f", 100 * share),
                    x: x + width / 2,
                    y: y(share) - 4,
                    size: 11,
                    anchor: "middle"
                )
            }
            drawing.text(
                "\(result.fast.scenario.processes) processes",
                x: middle,
                y: bottom + 18,
                size: 12,
                anchor: "middle"
            )
        }
    }

    private func drawLegend(in drawing: inout Drawing) {
        let entries = [
            ("wanted", Self.colors.wanted), ("static split", Self.colors.staticSplit),
            ("fleet, releaseAfter 5 s", Self.colors.slowFleet), ("fleet, releaseAfter 1 s", Self.colors.fleet),
            ("oracle", Self.colors.oracle),
        ]
        var x = Self.left
        for (name, color) in entries {
            drawing.bar(x: x, y: bottom + 52, width: 24, height: 6, color: color)
            drawing.text(name, x: x + 32, y: bottom + 60, size: 12)
            x += 210
        }
    }
}
