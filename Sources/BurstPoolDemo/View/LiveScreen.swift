// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Draws the pool in a terminal, and redraws it in place.
final class LiveScreen: Screen {
    let interval = Duration.milliseconds(100)

    private let output: Output
    private let title: String
    private let color = Terminal.wantsColor
    private let linesShown = Mutex(0)

    init(output: Output, title: String) {
        self.output = output
        self.title = title
        output.write(Terminal.prepare)
    }

    func show(_ timeline: Timeline, _ context: LoadContext) {
        guard let sample = timeline.samples.last else { return }
        let (columns, rows) = Terminal.size(output.descriptor)
        let frame = Frame(timeline: timeline, sample: sample, context: context, title: title, columns: columns)
        // One row is left for the cursor below the frame.
        let lines = frame.lines.prefix(rows - 1).map { $0.rendered(width: columns, color: color) }
        linesShown.withLock { shown in
            let body = lines.map { $0 + Terminal.clearToEndOfLine + "\n" }.joined()
            output.write(Terminal.up(shown) + body + Terminal.clearToEndOfScreen)
            shown = lines.count
        }
    }

    func finish() {
        output.write(Terminal.restore)
    }
}
