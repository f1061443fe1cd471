// SPDX-License-Identifier: Apache-2.0

/// One frame of the live view.
struct Frame {
    let timeline: Timeline
    let sample: Sample
    let context: LoadContext
    let title: String
    let columns: Int

    private static let labelWidth = 15
    private static let numberWidth = 6

    var lines: [StyledLine] {
        let (maxSize, hardLimit) = (context.maxSize, context.hardLimit)
        var lines = [StyledLine(), StyledLine(" " + title, .bold), StyledLine(), phases(), StyledLine()]
        lines.append(connections(maxSize: maxSize, hardLimit: hardLimit))
        lines.append(scale(maxSize: maxSize, hardLimit: hardLimit))
        lines.append(StyledLine())
        lines.append(count("in use", sample.inUse, of: hardLimit, .blue))
        lines.append(count("idle", sample.idle, of: hardLimit, .green))
        lines.append(count("opening", sample.opening, of: hardLimit, .amber))
        lines.append(count("closing", sample.closing, of: hardLimit, .grey))
        lines.append(count("waiting", sample.waiting, of: context.schedule.tasks, .violet))
        lines.append(StyledLine())
        lines.append(throughput())
        lines.append(totals())
        lines.append(StyledLine())
        lines += events()
        return lines
    }

    // MARK: - Lines

    private func phases() -> StyledLine {
        let now = context.schedule.phase(at: sample.time)
        let room = barWidth + Self.numberWidth
        var line = StyledLine(" " + "phase".padded(to: Self.labelWidth))
        for phase in Phase.allCases {
            let span = context.schedule.span(of: phase)
            let length = span.upperBound - span.lowerBound
            let width = max(10, Int(Double(room) * (length / context.schedule.length)) - 1)
            let done = Int(Double(width) * min(1, max(0, (sample.time - span.lowerBound) / length)))
            let name = " \(phase.name) "
            let rule = String(repeating: "━", count: max(0, width - name.count))
            line.add(name, phase == now ? .bold : .faint)
            let doneHere = min(rule.count, max(0, done - name.count))
            line.add(String(rule.prefix(doneHere)), phase == .spike ? .amber : .blue)
            line.add(String(rule.dropFirst(doneHere)), .grey)
        }
        line.add("  \(sample.time.asClock.trimmed) of \(context.schedule.length.asClock.trimmed)")
        return line
    }

    /// All connections in one bar, with ticks at the limits.
    private func connections(maxSize: Int, hardLimit: Int) -> StyledLine {
        var line = label("connections", sample.total, sample.total > maxSize ? .amber : .plain)
        let parts: [(Int, StyledLine.Style)] = [
            (sample.inUse, .blue), (sample.idle, .green), (sample.opening, .amber), (sample.closing, .grey),
        ]
        var (sum, drawn) = (0, 0)
        for (number, style) in parts {
            sum += number
            let end = cells(sum, of: hardLimit)
            line.add(String(repeating: "█", count: max(0, end - drawn)), style)
            drawn = max(drawn, end)
        }
        let mark = cells(maxSize, of: hardLimit)
        while drawn < barWidth {
            line.add(drawn == mark ? "┆" : "·", .grey)
            drawn += 1
        }
        line.add("┃", .red)
        if sample.total > maxSize { line.add(" BURSTING", .amber) }
        return line
    }

    /// The labels of the limits below the bar.
    private func scale(maxSize: Int, hardLimit: Int) -> StyledLine {
        var line = StyledLine()
        let start = 1 + Self.labelWidth + Self.numberWidth + 2
        let limit = "burstLimit \(hardLimit)"
        if maxSize < hardLimit {
            let soft = "maxSize \(maxSize)"
            line.pad(to: start + max(0, cells(maxSize, of: hardLimit)))
            line.add("└ \(soft)", .faint)
            let position = start + barWidth - limit.count - 1
            if position > line.width + 1 {
                line.pad(to: position)
                line.add("\(limit) ┘", .faint)
            } else {
                line.add("  \(limit) ┘", .faint)
            }
        } else {
            let text = "maxSize = burstLimit = \(maxSize) ┘"
            line.pad(to: start + barWidth + 1 - text.count)
            line.add(text, .faint)
        }
        return line
    }

    private func count(_ name: String, _ number: Int, of most: Int, _ style: StyledLine.Style) -> StyledLine {
        var line = label(name, number)
        line.add(String(repeating: "▇", count: cells(number, of: most)), style)
        return line
    }

    private func throughput() -> StyledLine {
        var line = StyledLine(" " + "throughput".padded(to: Self.labelWidth))
        line.add(timeline.throughput().asRate.padded(leadingTo: Self.numberWidth), .bold)
        line.add(" commands/s   ")
        let room = max(8, min(60, columns - line.width - 2))
        line.add(sparkline(room), .lightBlue)
        return line
    }

    /// The throughput so far, as a row of blocks with eight heights.
    private func sparkline(_ width: Int) -> String {
        let (last, length) = (timeline.samples.count - 1, context.schedule.length)
        guard last > 0 else { return "" }
        var (values, index) = ([Double](), 0)
        for column in 1...width {
            let end = length * (Double(column) / Double(width))
            guard end <= sample.time || values.isEmpty else { break }
            while index < last, timeline.samples[index].time < end { index += 1 }
            values.append(timeline.throughput(over: length * (1 / Double(width)), upTo: index))
        }
        let most = max(1, values.max() ?? 1)
        let levels = Array("▁▂▃▄▅▆▇█")
        return String(values.map { levels[Int((max(0, $0) / most * 7).rounded())] })
    }

    private func totals() -> StyledLine {
        var line = StyledLine(" " + "so far".padded(to: Self.labelWidth))
        line.add(sample.commands.grouped.padded(leadingTo: Self.numberWidth), .bold)
        line.add(" commands   \(sample.opened) opened   \(sample.closed) closed")
        if sample.killed > 0 { line.add("   \(sample.killed) killed", .red) }
        if sample.errors > 0 { line.add("   \(sample.errors) errors", .red) }
        return line
    }

    private func events() -> [StyledLine] {
        let entries = context.journal.entries().suffix(5)
        let lines = entries.map { entry in
            var line = StyledLine(" \(entry.time.asClock)  ", .faint)
            line.add(entry.text)
            return line
        }
        // Always the same number of lines, so that nothing below moves.
        return lines + Array(repeating: StyledLine(), count: 5 - lines.count)
    }

    // MARK: - Bars

    private var barWidth: Int {
        max(10, min(72, columns - 1 - Self.labelWidth - Self.numberWidth - 2 - 12))
    }

    private func label(_ name: String, _ number: Int, _ style: StyledLine.Style = .plain) -> StyledLine {
        var line = StyledLine(" " + name.padded(to: Self.labelWidth))
        line.add("\(number)".padded(leadingTo: Self.numberWidth) + "  ", style)
        return line
    }

    /// Returns the number of cells for a number, which is at least one unless the number is zero.
    private func cells(_ number: Int, of most: Int) -> Int {
        guard number > 0, most > 0 else { return 0 }
        return min(barWidth, max(1, Int((Double(number) / Double(most) * Double(barWidth)).rounded())))
    }
}
