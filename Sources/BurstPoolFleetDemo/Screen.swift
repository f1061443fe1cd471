// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Writes a line at once, also if the output is a pipe.
func say(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
}

/// Shows the fleet once a second: as a chart in a terminal, and otherwise as a line.
struct Screen {
    let total: Int
    let processes: Int
    private let isTerminal = isatty(STDOUT_FILENO) == 1

    init(total: Int, processes: Int) {
        self.total = total
        self.processes = processes
    }

    func show(second: Double, _ sampler: Sampler, _ fleet: WorkerFleet, _ faults: Faults, _ bursts: Bursts) {
        let sums = fleet.tally.current
        let connections = sampler.samples.last?.connections ?? [:]
        let members = sums.latest.values.count(where: \.isMember)
        let waiting = sums.latest.values.reduce(0) { $0 + $1.waiting }
        let title =
            "\(String(format: "%3.0f", second)) s  connections \(connections.values.reduce(0, +)) of \(total)  "
            + "members \(members)  waiting \(waiting)  served \(sums.served)"
        guard isTerminal else {
            let affected = faults.affected.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.rawValue)" }
            say(affected.isEmpty ? title : title + "  (" + affected.joined(separator: ", ") + ")")
            return
        }
        var lines = [title]
        for number in 0..<processes {
            let open = connections[number] ?? 0
            let limit = sums.latest[number]?.limit ?? 0
            let bar = String(repeating: "█", count: open) + String(repeating: "·", count: max(0, limit - open))
            let notes = [bursts.current.contains(number) ? "burst" : nil, faults.affected[number]?.rawValue].compactMap(
                \.self
            )
            lines.append("\(String(format: "%2d", number)) \(bar) \(notes.joined(separator: ", "))")
        }
        say("\u{1B}[H\u{1B}[2J" + lines.joined(separator: "\n"))
    }
}
