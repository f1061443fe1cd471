import Synchronization

/// What a pool has seen of its server: the latest success and the latest failure.
///
/// The hot path does not take part in this. A connection that comes back while callers wait leaves a flag, and a caller that
/// joins the queue, which reads the clock anyway, turns the flag into a time.
@usableFromInline
final class HealthRecord: Sendable {
    /// Whether a connection has come back since the time of the latest success was written down.
    @usableFromInline let hasReturned = Atomic(false)
    private let successAt = Atomic<UInt64>(0)
    private let failureAt = Atomic<UInt64>(0)
    private let failing = Atomic(false)
    private let changes = Atomic(0)
    private let latestFailure = LatestError()

    /// A single failure among successes does not count as an outage for this long, in nanoseconds: 1 second.
    static let grace: UInt64 = 1_000_000_000

    /// Notes that a body has returned and that its connection is available again.
    @inlinable @inline(__always)
    func noteReturn() {
        if !hasReturned.load(ordering: .relaxed) { hasReturned.store(true, ordering: .relaxed) }
    }

    /// Writes down that a connection has come back, if one has.
    ///
    /// - Parameter now: A recent time. It may be later than the return, and is earlier than everything that follows.
    @inlinable @inline(__always)
    func settle(now: UInt64) {
        if hasReturned.load(ordering: .relaxed) { settleReturn(now) }
    }

    @usableFromInline
    func settleReturn(_ now: UInt64) {
        if hasReturned.exchange(false, ordering: .relaxed) { noteSuccess(now: now) }
    }

    /// Notes that a connection has opened, has been validated, or has come back from a body that returned.
    func noteSuccess(now: UInt64) {
        successAt.store(now, ordering: .relaxed)
        failing.store(false, ordering: .relaxed)
        // Releasing: a thread that finds the change finds the rest.
        changes.add(1, ordering: .releasing)
    }

    /// Notes that an attempt to open a connection has failed.
    func noteFailure(_ error: any Error, now: UInt64) {
        // What came back before the failure does not speak against it.
        hasReturned.store(false, ordering: .relaxed)
        latestFailure.store(error)
        failureAt.store(now, ordering: .relaxed)
        failing.store(true, ordering: .relaxed)
        changes.add(1, ordering: .releasing)
    }

    /// The number of successes and failures so far. It may wrap.
    var count: Int { changes.load(ordering: .acquiring) }

    /// When the latest success was seen; 0 if there was none.
    var lastSuccess: UInt64 { successAt.load(ordering: .relaxed) }

    /// When the latest failure was seen; 0 if there was none.
    var lastFailure: UInt64 { failureAt.load(ordering: .relaxed) }

    /// The latest failure.
    var failure: (any Error)? { latestFailure.load() }

    /// Whether the latest thing that the pool has seen was a failure.
    var isFailing: Bool { failing.load(ordering: .relaxed) }
}
