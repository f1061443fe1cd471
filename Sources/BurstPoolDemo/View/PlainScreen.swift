// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Prints a line about once a second and one for each event, for logs, pipes and files.
final class PlainScreen: Screen {
    let interval = Duration.seconds(1)

    private let output: Output
    private let entriesShown = Mutex(0)

    init(output: Output) {
        self.output = output
    }

    func show(_ timeline: Timeline, _ context: LoadContext) {
        entriesShown.withLock { shown in
            let entries = context.journal.entries(after: shown)
            shown += entries.count
            for entry in entries { output.print("\(entry.time.asClock)  * \(entry.text)") }
        }
        guard let sample = timeline.samples.last else { return }
        var line = "\(sample.time.asClock)  \(context.schedule.phase(at: sample.time).name.padded(to: 6))"
        line += "  total \(sample.total.padded(to: 3)) = \(sample.idle) idle + \(sample.inUse) in use"
        line += " + \(sample.opening) opening + \(sample.closing) closing"
        line += "  waiting \(sample.waiting)  \(timeline.throughput(over: interval).asRate) commands/s"
        if sample.killed > 0 { line += "  killed \(sample.killed)" }
        if sample.errors > 0 { line += "  errors \(sample.errors)" }
        output.print(line)
    }

    func finish() {}
}
