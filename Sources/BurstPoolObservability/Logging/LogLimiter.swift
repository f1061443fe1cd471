import Synchronization

/// Lets the first of each kind of line pass in an interval, and counts the others.
final class LogLimiter<Kind: Hashable & Sendable>: Sendable {
    enum Verdict: Equatable {
        case log
        /// It is the first to be suppressed: somebody has to say at the end of the interval that there were such.
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
            guard var window = windows[kind], now < window.end || window.suppressed > 0 else {
                windows[kind] = Window(end: now + interval)
                return .log
            }
            window.suppressed += 1
            windows[kind] = window
            return window.suppressed == 1 ? .suppressAndReport(at: window.end) : .suppress
        }
    }

    /// Ends the interval. Returns how many there were that were not logged.
    func takeSuppressed(_ kind: Kind) -> Int {
        windows.withLock { $0.removeValue(forKey: kind)?.suppressed ?? 0 }
    }

    /// Ends all intervals.
    func takeAllSuppressed() -> [(Kind, Int)] {
        windows.withLock { windows in
            defer { windows = [:] }
            return windows.filter { $0.value.suppressed > 0 }.map { ($0.key, $0.value.suppressed) }
        }
    }
}
