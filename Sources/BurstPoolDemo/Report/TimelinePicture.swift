// SPDX-License-Identifier: Apache-2.0

/// Draws the timeline of a run: connections at the top, then waiting callers and throughput, with a common time axis.
struct TimelinePicture {
    let timeline: Timeline
    let schedule: Schedule
    let settings: Summary.Settings
    let killed: Int

    private static let width = 1200.0
    private static let left = 76.0
    private static let right = 1092.0

    private enum Color {
        static let background = "#ffffff"
        static let ink = "#1e293b"
        static let faint = "#64748b"
        static let grid = "#e2e8f0"
        static let total = "#93c5fd"
        static let totalLine = "#3b82f6"
        static let burst = "#fcd34d"
        static let burstInUse = "#f59e0b"
        static let inUse = "#1d4ed8"
        static let waiting = "#8b5cf6"
        static let throughput = "#0d9488"
        static let maxSize = "#15803d"
        static let burstLimit = "#dc2626"
        static let kill = "#be123c"

        static func phase(_ phase: Phase) -> String {
            switch phase {
            case .steady: "#f0fdf4"
            case .spike: "#fff7ed"
            case .calm: "#f8fafc"
            }
        }
    }

    /// One diagram of the picture.
    private struct Panel {
        let title: String
        let top: Double
        let bottom: Double
        let axis: Axis

        func y(_ value: Double) -> Double { bottom - value / axis.end * (bottom - top) }
    }

    private let points: [Point]
    private let end: Double

    init(timeline: Timeline, schedule: Schedule, settings: Summary.Settings, killed: Int) {
        self.timeline = timeline
        self.schedule = schedule
        self.settings = settings
        self.killed = killed
        points = Point.points(of: timeline, columns: Int((Self.right - Self.left) / 1.5))
        end = max(timeline.samples.last?.seconds ?? 0, 0.1)
    }

    func document() -> String {
        var svg = SVG(width: Self.width, height: 720)
        let mostConnections = max(points.map(\.total).max() ?? 0, Double(settings.burstLimit))
        let panels = [
            Panel(title: "Connections", top: 128, bottom: 408, axis: Axis(to: mostConnections * 1.12, ticks: 6)),
            Panel(
                title: "Waiting callers",
                top: 444,
                bottom: 544,
                axis: Axis(to: max(1, points.map(\.waiting).max() ?? 1), ticks: 3)
            ),
            Panel(
                title: "Commands per second",
                top: 580,
                bottom: 670,
                axis: Axis(to: max(1, points.map(\.throughput).max() ?? 1), ticks: 3)
            ),
        ]
        svg.rectangle(0, 0, Self.width, 720, fill: Color.background)
        heading(&svg)
        for panel in panels { frame(panel, &svg) }
        phaseNames(panels[0], &svg)
        connections(panels[0], &svg)
        series(panels[1], \.waiting, Color.waiting, &svg)
        series(panels[2], \.throughput, Color.throughput, &svg)
        timeAxis(below: panels[2], &svg)
        return svg.document
    }

    // MARK: - Frame and labels

    private func heading(_ svg: inout SVG) {
        svg.text(
            "BurstPool: connections during a load spike",
            Self.left,
            36,
            fill: Color.ink,
            size: 20,
            isBold: true
        )
        var words = "\(settings.tasks) tasks, maxSize \(settings.maxSize), burstLimit \(settings.burstLimit)"
        if settings.chaos { words += ", \(killed) connections killed" }
        svg.text("\(words) · \(settings.server) · seed \(settings.seed)", Self.left, 57, fill: Color.faint, size: 13)

        var x = Self.left
        let entries = [
            ("total", Color.total, 62.0), ("above maxSize", Color.burstInUse, 118), ("in use", Color.inUse, 70),
            ("waiting", Color.waiting, 78), ("throughput", Color.throughput, 98),
        ]
        for (name, color, width) in entries {
            svg.rectangle(x, 73, 12, 12, fill: color, radius: 2)
            svg.text(name, x + 17, 83, fill: Color.ink)
            x += width
        }
        for (name, color, width) in [("maxSize", Color.maxSize, 90.0), ("burstLimit", Color.burstLimit, 100)] {
            svg.line(x, 79, x + 20, 79, stroke: color, width: 2, dashes: "5 3")
            svg.text(name, x + 26, 83, fill: Color.ink)
            x += width
        }
        if settings.chaos {
            svg.text("×", x, 84, fill: Color.kill, size: 15, isBold: true)
            svg.text("connections killed", x + 14, 83, fill: Color.ink)
        }
    }

    private func frame(_ panel: Panel, _ svg: inout SVG) {
        for phase in Phase.allCases {
            let span = bounds(of: phase)
            svg.rectangle(
                x(span.lowerBound),
                panel.top,
                x(span.upperBound) - x(span.lowerBound),
                panel.bottom - panel.top,
                fill: Color.phase(phase)
            )
        }
        for tick in panel.axis.ticks {
            let y = panel.y(tick)
            svg.line(Self.left, y, Self.right, y, stroke: tick == 0 ? Color.faint : Color.grid)
            svg.text(Int(tick).grouped, Self.left - 8, y + 4, fill: Color.faint, anchor: .end)
        }
        for phase in Phase.allCases.dropFirst() where bounds(of: phase).lowerBound < end {
            let x = x(bounds(of: phase).lowerBound)
            svg.line(x, panel.top, x, panel.bottom, stroke: "#cbd5e1", dashes: "2 3")
        }
        svg.text(panel.title, Self.left, panel.top - 8, fill: Color.ink, size: 13, isBold: true)
    }

    private func phaseNames(_ panel: Panel, _ svg: inout SVG) {
        for phase in Phase.allCases {
            let span = bounds(of: phase)
            guard x(span.upperBound) - x(span.lowerBound) > 40 else { continue }
            let middle = (x(span.lowerBound) + x(span.upperBound)) / 2
            svg.text(
                "\(phase.name) · \(schedule.tasks(in: phase)) tasks",
                middle,
                panel.top + 17,
                fill: Color.faint,
                anchor: .middle
            )
        }
    }

    private func timeAxis(below panel: Panel, _ svg: inout SVG) {
        let axis = Axis(to: end, ticks: 12)
        for tick in axis.ticks where tick <= end {
            svg.line(x(tick), panel.bottom, x(tick), panel.bottom + 5, stroke: Color.faint)
            svg.text(axis.label(tick), x(tick), panel.bottom + 19, fill: Color.faint, anchor: .middle)
        }
        svg.text(
            "seconds since the start of the load",
            (Self.left + Self.right) / 2,
            panel.bottom + 39,
            fill: Color.faint,
            anchor: .middle
        )
    }

    // MARK: - Diagrams

    private func connections(_ panel: Panel, _ svg: inout SVG) {
        let total = points.map { (x: x($0.time), y: panel.y($0.total)) }
        let inUse = points.map { (x: x($0.time), y: panel.y($0.inUse)) }
        let softLimit = panel.y(Double(settings.maxSize))
        let breadth = Self.right - Self.left
        svg.clip("within", Self.left, softLimit, breadth, panel.bottom - softLimit)
        svg.clip("above", Self.left, panel.top, breadth, softLimit - panel.top)
        svg.area(total, base: panel.bottom, fill: Color.total, opacity: 0.6, clip: "within")
        svg.area(inUse, base: panel.bottom, fill: Color.inUse, opacity: 0.4, clip: "within")
        svg.area(total, base: panel.bottom, fill: Color.burst, opacity: 0.5, clip: "above")
        svg.area(inUse, base: panel.bottom, fill: Color.burstInUse, opacity: 0.6, clip: "above")
        svg.polyline(total, stroke: Color.totalLine, width: 1.4)
        svg.polyline(inUse, stroke: Color.inUse, width: 1)
        if settings.burstLimit > settings.maxSize {
            limit("burstLimit \(settings.burstLimit)", settings.burstLimit, Color.burstLimit, panel, &svg)
            limit("maxSize \(settings.maxSize)", settings.maxSize, Color.maxSize, panel, &svg)
        } else {
            limit("maxSize = burstLimit = \(settings.maxSize)", settings.maxSize, Color.burstLimit, panel, &svg)
        }
        for point in points where point.killed > 0 {
            svg.text("×", x(point.time), panel.bottom - 3, fill: Color.kill, size: 13, anchor: .middle, isBold: true)
        }
    }

    private func limit(_ name: String, _ value: Int, _ color: String, _ panel: Panel, _ svg: inout SVG) {
        let y = panel.y(Double(value))
        svg.line(Self.left, y, Self.right, y, stroke: color, width: 1.6, dashes: "7 4")
        svg.text(name, Self.right + 7, y + 4, fill: color, isBold: true)
    }

    private func series(_ panel: Panel, _ value: KeyPath<Point, Double>, _ color: String, _ svg: inout SVG) {
        let line = points.map { (x: x($0.time), y: panel.y($0[keyPath: value])) }
        svg.area(line, base: panel.bottom, fill: color, opacity: 0.25)
        svg.polyline(line, stroke: color, width: 1.4)
    }

    // MARK: - Time

    private func x(_ seconds: Double) -> Double {
        Self.left + min(1, max(0, seconds / end)) * (Self.right - Self.left)
    }

    private func bounds(of phase: Phase) -> Range<Double> {
        let span = schedule.span(of: phase)
        return span.lowerBound.inSeconds..<span.upperBound.inSeconds
    }
}
