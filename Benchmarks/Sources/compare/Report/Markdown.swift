// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Report {
    /// Returns the tables as Markdown, for readers.
    func markdown(machine: String) -> String {
        var text = "<!-- Written by compare. -->\n\n\(machine)\n"
        text += "\n## What it must reach\n\n"
        text += "| | measure | value | quartiles | must | aim | ok? |\n|---|---|---|---|---|---|---|\n"
        for figure in figures {
            let sign = figure.better == .less ? "≤" : "≥"
            let verdict = figure.meets(figure.aim) ? "aim" : figure.meets(figure.must) ? "must" : "**no**"
            text += "| \(figure.workload) | \(figure.measure) | \(short(figure.value.median)) "
            text += "| \(quartiles(figure.value)) | \(sign) \(short(figure.must)) | \(sign) \(short(figure.aim)) "
            text += "| \(figure.value.values.isEmpty ? "not measured" : verdict) |\n"
        }
        text += "\n## All that was measured\n\nTimes in nanoseconds per operation; spread: between the quartiles.\n"
        for workload in orderedWorkloads {
            let rows = rows.filter { $0.workload == workload }
            let reference = rows.first { $0.reference != nil }?.reference
            text += "\n### \(workload)\n\n"
            text += "| | wall | spread | CPU | spread | ratio to \(reference ?? "–") | quartiles | allocations |\n"
            text += "|---|---|---|---|---|---|---|---|\n"
            for row in rows {
                text += "| \(row.contender) | \(short(row.wall.median)) | \(percent(row.wall.spread)) "
                text += "| \(short(row.cpu.median)) | \(percent(row.cpu.spread)) "
                text += "| \(row.ratio.map { short($0.median) } ?? "–") | \(row.ratio.map(quartiles) ?? "–") "
                text += "| \(row.allocations.map(short) ?? "–") |\n"
            }
        }
        if !notes.isEmpty {
            text += "\n## Remarks\n\n" + notes.map { "- \($0)\n" }.joined()
        }
        return text
    }

    /// The workloads that have rows, in the order of their first row.
    private var orderedWorkloads: [String] {
        var seen: Set<String> = []
        return rows.map(\.workload).filter { seen.insert($0).inserted }
    }

    private func quartiles(_ distribution: Distribution) -> String {
        distribution.values.count < 2
            ? "–" : "\(short(distribution.lowerQuartile)) – \(short(distribution.upperQuartile))"
    }

    private func percent(_ share: Double) -> String {
        share.isFinite ? "\(Int((share * 100).rounded())) %" : "–"
    }
}

/// Formats a number with three significant digits, or with all digits before the point.
func short(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let magnitude = abs(value)
    if magnitude == magnitude.rounded(), magnitude < 100 { return String(Int(value)) }
    if magnitude >= 100 { return grouped(Int(value.rounded())) }
    return String(format: magnitude >= 10 ? "%.1f" : "%.2f", value)
}

private func grouped(_ value: Int) -> String {
    var digits = String(abs(value))
    var groups: [String] = []
    while digits.count > 3 {
        groups.insert(String(digits.suffix(3)), at: 0)
        digits.removeLast(3)
    }
    groups.insert(digits, at: 0)
    return (value < 0 ? "-" : "") + groups.joined(separator: ",")
}
