// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Synchronization

/// Turns Ctrl-C and termination signals into a stop request, so that the run ends with a summary and stops its server.
///
/// The second signal ends the process immediately. Its server ends as well, because the server's guardian sees the pipe break.
final class Interruption {
    private let sources: [any DispatchSourceSignal]

    init(_ stop: StopSignal) {
        let interruptions = Counter()
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
            source.setEventHandler {
                stop.raise(.interrupted)
                guard interruptions.isFirst() else {
                    if Terminal.isTerminal(STDOUT_FILENO) { Output.standard.write(Terminal.restore + "\n") }
                    _exit(128 + number)
                }
            }
            source.resume()
            return source
        }
        // The reader of the output may close the pipe before the end.
        signal(SIGPIPE, SIG_IGN)
    }

    deinit {
        for source in sources { source.cancel() }
    }

    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)

        func isFirst() -> Bool { count.add(1, ordering: .relaxed).oldValue == 0 }
    }
}
