// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Admits the first log line of each kind in an interval, and counts the others.
final class LogLimiter<Kind: Hashable & Sendable>: Sendable {
    enum Verdict: Equatable {
        case log
        /// The line is the first suppressed one of its interval. The caller must report the number of suppressed lines when
        /// the interval ends.
        case suppressAndReport(at: Duration)
        case suppress
    }

    private struct Window {
        var end: Duration
        var suppressed = 0
    }

    private let interval: Duration
    private let windows = Mutex<[Kind: Window]>([:])

    init(interval: Duration) {
        self.interval = interval
    }

    func admit(_ kind: Kind, now: Duration) -> Verdict {
        windows.withLock { windows in
            // A window with suppressed lines stays open until its number of lines has been reported.
            guard var window = windows[kind], now < window.end || window.suppressed > 0 else {
                windows[kind] = Window(end: now + interval)
                return .log
            }
            window.suppressed += 1
            windows[kind] = window
            return window.suppressed == 1 ? .suppressAndReport(at: window.end) : .suppress
        }
    }

    /// Ends the interval of a kind, and returns the number of suppressed lines.
    func takeSuppressed(_ kind: Kind) -> Int {
        windows.withLock { $0.removeValue(forKey: kind)?.suppressed ?? 0 }
    }

    /// Ends all intervals, and returns the kinds with suppressed lines.
    func takeAllSuppressed() -> [(Kind, Int)] {
        windows.withLock { windows in
            defer { windows = [:] }
            return windows.filter { $0.value.suppressed > 0 }.map { ($0.key, $0.value.suppressed) }
        }
    }
}
