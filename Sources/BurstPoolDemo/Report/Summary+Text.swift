// SPDX-License-Identifier: Apache-2.0

extension Summary {
    /// Returns the summary as text.
    func text(color: Bool) -> String {
        var lines = [StyledLine(), StyledLine("Summary", .bold)]
        if let endedEarly {
            lines.append(row("ended early", endedEarly, .amber))
        }
        lines.append(row("commands", "\(commands.grouped) in \(Duration.seconds(seconds).asClock.trimmed)"))
        lines.append(row("throughput", "\(commandsPerSecond.asRate) commands/s"))
        lines += errorRows
        lines.append(StyledLine())
        lines += latencyTable
        lines.append(StyledLine())
        lines.append(row("connections", connectionsText))
        lines.append(
            row("peak total", "\(connections.peakTotal) of \(settings.burstLimit) (maxSize \(settings.maxSize))")
        )
        lines.append(row("bursting", Duration.seconds(secondsBursting).asClock.trimmed))
        lines.append(row("waiting", waitsText))
        lines.append(row("after shutdown", "total \(totalAfterShutdown)"))
        lines.append(StyledLine())
        lines += checks.map(line)
        lines.append(StyledLine())
        lines.append(row("timeline", timeline))
        let failed = checks.count { !$0.passed }
        lines.append(
            failed == 0
                ? StyledLine("All \(checks.count) checks passed.", .green)
                : StyledLine("\(failed) of \(checks.count) checks FAILED.", .red)
        )
        return lines.map { $0.rendered(width: .max, color: color) }.joined(separator: "\n")
    }

    private func row(_ name: String, _ text: String, _ style: StyledLine.Style = .plain) -> StyledLine {
        var line = StyledLine("  " + name.padded(to: 16))
        line.add(text, style)
        return line
    }

    private var errorRows: [StyledLine] {
        func list(_ errors: [String: Int]) -> String {
            errors.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
        }
        var rows: [StyledLine] = []
        if !wrongReplies.isEmpty { rows.append(row("wrong replies", "\(wrongReplies.count)", .red)) }
        if !unexpectedErrors.isEmpty { rows.append(row("errors", list(unexpectedErrors), .red)) }
        if !expectedErrors.isEmpty { rows.append(row("errors by chaos", list(expectedErrors))) }
        if cancelled > 0 { rows.append(row("cancelled", "\(cancelled) requests, by the demo")) }
        if unexpectedErrors.isEmpty, expectedErrors.isEmpty { rows.append(row("errors", "none")) }
        return rows
    }

    /// A row for each phase, and one for all phases.
    private var latencyTable: [StyledLine] {
        let columns = ["p50", "p99", "p99.9", "max"].map { $0.padded(leadingTo: 9) }.joined()
        func cells(_ quantiles: Quantiles) -> String {
            [quantiles.p50, quantiles.p99, quantiles.p999, quantiles.max]
                .map { Duration.seconds($0).asLatency.padded(leadingTo: 9) }.joined()
        }
        func line(_ name: String, _ latency: Latency, _ style: StyledLine.Style = .plain) -> StyledLine {
            var line = StyledLine("  " + name.padded(to: 8))
            line.add(latency.requests.grouped.padded(leadingTo: 10) + " ")
            // An interrupted run may not have reached all phases.
            if latency.requests > 0 { line.add(cells(latency.acquire) + "  " + cells(latency.request), style) }
            return line
        }
        var heading = StyledLine("  " + "".padded(to: 18) + " ", .faint)
        heading.add("acquire".padded(leadingTo: 9).padded(to: 38) + "whole request".padded(leadingTo: 13), .faint)
        let names = StyledLine(
            "  " + "".padded(to: 8) + "requests".padded(leadingTo: 10) + " " + columns + "  " + columns,
            .faint
        )
        let rows = Phase.allCases.compactMap { phase in phases[phase.name].map { line(phase.name, $0) } }
        return [heading, names] + rows + [line("all", all, .bold)]
    }

    private var connectionsText: String {
        var text = "\(connections.opened) opened, \(connections.closed) closed"
        if connections.killed > 0 { text += ", \(connections.killed) killed" }
        if connections.foundDead > 0 { text += ", \(connections.foundDead) found closed before a lease" }
        if connections.failedToOpen > 0 { text += ", \(connections.failedToOpen) failed to open" }
        return text
    }

    private var waitsText: String {
        let share = all.requests > 0 ? Double(all.waitsOverOneMillisecond) / Double(all.requests) * 100 : 0
        let percent = Int(share.rounded())
        return "\(all.waitsOverOneMillisecond.grouped) acquires (\(percent) %) took over 1 ms; "
            + "up to \(peakWaiting) callers waited at a time"
    }

    private func line(_ check: Check) -> StyledLine {
        var line = StyledLine(check.passed ? "  ✓ " : "  ✗ ", check.passed ? .green : .red)
        line.add(check.name.padded(to: 44), check.passed ? .plain : .red)
        line.add("  " + check.detail, check.passed ? .faint : .red)
        return line
    }
}
