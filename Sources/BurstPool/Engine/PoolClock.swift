/// A clock of any kind, reduced to nanoseconds since the pool was made, from 1, which is what deadlines in the core are.
///
/// Used where callers wait, never on the hot path.
@usableFromInline
struct PoolClock: Sendable {
    private let read: @Sendable () -> UInt64
    private let wait: @Sendable (UInt64) async throws -> Void

    init(_ clock: any Clock<Duration>) {
        // The usual one by its type, so that the compiler knows what it calls.
        if let clock = clock as? ContinuousClock {
            self.init(of: clock)
        } else {
            self.init(of: clock)
        }
    }

    private init(of clock: some Clock<Duration>) {
        let origin = clock.now
        // One more than have passed, and one less on the way back: 0 is not a moment, yet no deadline is off by one.
        read = { origin.duration(to: clock.now).nanoseconds.addingReportingOverflow(1).partialValue }
        wait = { moment in
            let sinceOrigin = Duration.nanoseconds(Int64(clamping: moment) - 1)
            try await clock.sleep(until: origin.advanced(by: sinceOrigin), tolerance: nil)
        }
    }

    /// Nanoseconds since the clock was made, plus 1.
    @usableFromInline
    var now: UInt64 { read() }

    /// How long ago a moment was. No time at all if it is yet to come, as it can seem to two threads.
    @usableFromInline
    func elapsed(since moment: UInt64) -> Duration {
        let now = read()
        return .nanoseconds(now - min(now, moment))
    }

    /// Sleeps until then, or until the task is cancelled.
    func sleep(until nanoseconds: UInt64) async throws {
        try await wait(nanoseconds)
    }

    /// The moment so long after now; `UInt64.max`, which means never, if it is too far away to be told.
    @usableFromInline
    static func deadline(after timeout: Duration?, from now: UInt64) -> UInt64 {
        guard let timeout else { return .max }
        let deadline = now.addingSaturated(timeout.nanoseconds)
        return deadline >= UInt64(Int64.max) ? .max : deadline
    }
}

extension UInt64 {
    /// The sum, or the greatest number if that is less.
    func addingSaturated(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

extension Duration {
    /// A hundred years. Clocks can sleep for that, and trap at the longest of all durations.
    package static var longestSleep: Duration { .seconds(3_155_760_000) }

    /// Whole nanoseconds, rounded up; 0 for what is negative, `UInt64.max` for what is too long.
    var nanoseconds: UInt64 {
        guard self > .zero else { return 0 }
        // Beyond that its components would be a trap.
        guard self <= .seconds(Int64.max) else { return .max }
        let (seconds, attoseconds) = components
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowToo) = product.addingReportingOverflow((UInt64(attoseconds) + 999_999_999) / 1_000_000_000)
        return overflow || overflowToo ? .max : sum
    }
}
