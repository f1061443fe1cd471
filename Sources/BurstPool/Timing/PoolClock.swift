// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A clock of any kind, reduced to nanoseconds since the pool was created, counted from 1. Deadlines in the core are such
/// moments, and 0 is never one.
///
/// The pool reads its clock where callers wait and never on the fast path.
@usableFromInline
struct PoolClock: Sendable {
    private let read: @Sendable () -> UInt64
    private let wait: @Sendable (UInt64) async throws -> Void

    init(_ clock: any Clock<Duration>) {
        if let clock = clock as? ContinuousClock {
            // A third of the instructions that the clock itself takes, which calculates in attoseconds.
            let first = Self.continuousNanoseconds
            // Read after `first`, so that a sleep never ends too early.
            self.init(clock, origin: clock.now) { Self.continuousNanoseconds &- first &+ 1 }
        } else {
            self.init(of: clock)
        }
    }

    private init(of clock: some Clock<Duration>) {
        let origin = clock.now
        self.init(clock, origin: origin) {
            origin.duration(to: clock.now).nanoseconds.addingReportingOverflow(1).partialValue
        }
    }

    /// One nanosecond is added by `read` and subtracted before a sleep, so that no moment is 0 and no deadline is off by one.
    private init<Time: Clock<Duration>>(_ clock: Time, origin: Time.Instant, read: @escaping @Sendable () -> UInt64) {
        self.read = read
        wait = { moment in
            let sinceOrigin = Duration.nanoseconds(Int64(clamping: moment) - 1)
            try await clock.sleep(until: origin.advanced(by: sinceOrigin), tolerance: nil)
        }
    }

    /// What `ContinuousClock` reads, in nanoseconds.
    private static var continuousNanoseconds: UInt64 {
        #if canImport(Darwin)
            return clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW)
        #else
            var time = timespec()
            clock_gettime(CLOCK_BOOTTIME, &time)
            return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
        #endif
    }

    /// The nanoseconds since the clock was created, plus 1.
    @usableFromInline
    var now: UInt64 { read() }

    /// Returns how long ago a moment was, and zero for a moment that another thread read from the clock later.
    @usableFromInline
    func elapsed(since moment: UInt64) -> Duration {
        let now = read()
        return .nanoseconds(now - min(now, moment))
    }

    /// Sleeps until a moment, or until the task is cancelled.
    func sleep(until moment: UInt64) async throws {
        try await wait(moment)
    }

    /// Waits for a signal, until a deadline or a cancellation.
    func wait(for signal: OneShot, until deadline: UInt64) async -> OneShot.Outcome {
        guard deadline != .max else { return await signal.waitUnlessCancelled() }
        let limit = Task.detached { [self] in
            do { try await sleep(until: deadline) } catch { return }
            signal.fire(.timedOut)
        }
        defer { limit.cancel() }
        return await signal.waitUnlessCancelled()
    }

    /// Returns the moment that comes `timeout` after `now`, or `UInt64.max`, which means never, for a `nil` timeout and for
    /// one that is too long to be represented.
    @usableFromInline
    static func deadline(after timeout: Duration?, from now: UInt64) -> UInt64 {
        guard let timeout else { return .max }
        let deadline = now.addingSaturated(timeout.nanoseconds)
        return deadline >= UInt64(Int64.max) ? .max : deadline
    }
}

extension UInt64 {
    /// Returns the sum, or `UInt64.max` if the sum is greater.
    func addingSaturated(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// Returns the difference, or 0 if it is negative.
    func subtractingSaturated(_ other: UInt64) -> UInt64 { self - Swift.min(self, other) }
}

extension Duration {
    /// A hundred years. Clocks can sleep for that long, and trap for the longest durations that exist.
    package static var longestSleep: Duration { .seconds(3_155_760_000) }

    /// Whole nanoseconds, rounded up; 0 for negative durations, `UInt64.max` for durations that are too long.
    var nanoseconds: UInt64 {
        guard self > .zero else { return 0 }
        // The components of longer durations do not fit and would trap.
        guard self <= .seconds(Int64.max) else { return .max }
        let (seconds, attoseconds) = components
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowToo) = product.addingReportingOverflow((UInt64(attoseconds) + 999_999_999) / 1_000_000_000)
        return overflow || overflowToo ? .max : sum
    }
}
