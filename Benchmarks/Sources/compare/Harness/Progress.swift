// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Prints the progress: one line that is overwritten on a terminal, plain lines otherwise.
///
/// Used by one task at a time.
final class Progress: @unchecked Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var lastTopic = ""

    func say(_ text: String) {
        let seconds = Int((ContinuousClock.now - start).components.seconds)
        if isTerminal {
            write("\r\u{1B}[K[\(seconds) s] \(text)")
            return
        }
        // Without a terminal, one line is printed for each topic, which is the text before the colon.
        let topic = String(text.prefix { $0 != ":" })
        if topic == lastTopic { return }
        lastTopic = topic
        write("[\(seconds) s] \(topic)\n")
    }

    func finish() {
        if isTerminal { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
