// SPDX-License-Identifier: Apache-2.0

public import BurstPool
import Synchronization

/// Records what is asked of a pool, for the question how many connections it needs.
///
/// ```swift
/// let recorder = WorkloadRecorder()
/// configuration.observer = recorder        // or one of several in a CombinedConnectionPoolObserver
/// // … after an hour of ordinary load:
/// let json = try JSONEncoder().encode(recorder.workload)
/// ```
///
/// The recorder takes about 30 KiB, whatever happens. It observes leases, which costs each lease two reads of the pool's clock and
/// two calls, and one more read of the clock in the recorder. Use one recorder for one pool. All methods may be called from any
/// thread, and none takes a lock.
public final class WorkloadRecorder: ConnectionPoolObserver {
    private let now: @Sendable () -> Duration
    /// When the recording began, in nanoseconds of the clock.
    private let began: Atomic<UInt64>
    private let use = AtomicHistogram()
    private let connect = AtomicHistogram()
    private let wait = AtomicHistogram()
    private let failedCallers = Atomic<UInt64>(0)
    private let failedConnects = Atomic<UInt64>(0)
    private let busiest = BusiestSecond()

    /// Creates a recorder. The recording begins at once.
    ///
    /// - Parameter clock: The clock of the recording. Tests can use a clock that they advance by hand.
    public convenience init(clock: some Clock<Duration> = ContinuousClock()) {
        self.init(since: clock.now, on: clock)
    }

    private init<C: Clock<Duration>>(since start: C.Instant, on clock: C) {
        now = { start.duration(to: clock.now) }
        began = Atomic(0)
    }

    /// What was recorded since the recorder was created or reset. O(buckets).
    ///
    /// If callers acquire and release connections at the same time, some of them may be counted only in part.
    public var workload: RecordedWorkload {
        let wait = wait.histogram
        let failed = failedCallers.load(ordering: .relaxed)
        let elapsed = now().wholeNanoseconds
        return RecordedWorkload(
            seconds: Double(elapsed - min(elapsed, began.load(ordering: .relaxed))) / 1e9,
            callers: wait.count &+ failed,
            failedCallers: failed,
            busiestSecond: busiest.count,
            failedConnects: failedConnects.load(ordering: .relaxed),
            use: use.histogram,
            connect: connect.histogram,
            wait: wait
        )
    }

    /// Begins a new recording, for example before the busiest hour of the day.
    public func reset() {
        use.reset()
        connect.reset()
        wait.reset()
        failedCallers.store(0, ordering: .relaxed)
        failedConnects.store(0, ordering: .relaxed)
        busiest.reset()
        began.store(now().wholeNanoseconds, ordering: .relaxed)
    }

    // MARK: ConnectionPoolObserver

    public var observesLeases: Bool { true }

    public func connectionPool(_ event: ConnectionPoolEvent) {
        switch event {
        case .acquired(_, let waited, _):
            wait.record(waited)
            noteCaller()
        case .acquireFailed:
            failedCallers.add(1, ordering: .relaxed)
            noteCaller()
        case .released(let held): use.record(held)
        case .opened(let duration, _): connect.record(duration)
        case .openFailed: failedConnects.add(1, ordering: .relaxed)
        default: break
        }
    }

    /// Counts a caller in the second in which it has got a connection or has failed.
    private func noteCaller() {
        busiest.note(second: UInt32(clamping: now().wholeNanoseconds / 1_000_000_000))
    }
}
