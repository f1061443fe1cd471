// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The latest success and the latest failure of a pool's connections.
///
/// The fast path does not record anything and reads no clock. When a connection is released while callers wait, the release
/// sets a flag. The next caller that joins the queue, which reads the clock anyway, turns the flag into the time of a success.
@usableFromInline
final class HealthRecord: Sendable {
    /// Whether a connection was released after the time of the latest success was recorded.
    @usableFromInline let hasReleased = Atomic(false)
    private let successAt = Atomic<UInt64>(0)
    private let failureAt = Atomic<UInt64>(0)
    private let failing = Atomic(false)
    private let changes = Atomic(0)
    /// When a wait began that ended with a timeout, the first of these waits since the latest success; 0 if there was none.
    private let unservedSince = Atomic<UInt64>(0)
    private let latestFailure = LatestError()

    /// How long after the latest success a failure does not count as an outage, in nanoseconds: 1 second.
    static let grace: UInt64 = 1_000_000_000

    /// Notes that a body has returned and that its connection was released.
    @inlinable @inline(__always)
    func noteRelease() {
        if !hasReleased.load(ordering: .relaxed) { hasReleased.store(true, ordering: .relaxed) }
    }

    /// Records a success at the time `now`, if a connection was released since this was last called.
    ///
    /// - Parameter now: A recent time. It may be later than the release, and is earlier than every event after this call.
    @inlinable @inline(__always)
    func recordRelease(now: UInt64) {
        if hasReleased.load(ordering: .relaxed) { recordReleaseAsSuccess(now) }
    }

    @usableFromInline
    func recordReleaseAsSuccess(_ now: UInt64) {
        if hasReleased.exchange(false, ordering: .relaxed) { noteSuccess(now: now) }
    }

    /// Notes that a connection has opened, has been validated, or was released after its body returned.
    func noteSuccess(now: UInt64) {
        successAt.store(now, ordering: .relaxed)
        failing.store(false, ordering: .relaxed)
        // Releasing: a thread that reads the new count also reads the time and the status that were stored before it.
        changes.add(1, ordering: .releasing)
    }

    /// Notes that an attempt to open a connection has failed.
    func noteFailure(_ error: any Error, now: UInt64) {
        // A connection that was released before the failure must not count as a success after it.
        hasReleased.store(false, ordering: .relaxed)
        latestFailure.store(error)
        failureAt.store(now, ordering: .relaxed)
        failing.store(true, ordering: .relaxed)
        changes.add(1, ordering: .releasing)
    }

    /// Notes that the timeout of a caller has passed that had waited since `began`.
    func noteTimeout(since began: UInt64) {
        var known = unservedSince.load(ordering: .relaxed)
        // A moment before the latest success is outdated. Relaxed: one of several timeouts at the same time is enough.
        while known == 0 || known <= lastSuccess || known > began {
            let (exchanged, found) = unservedSince.compareExchange(expected: known, desired: began, ordering: .relaxed)
            if exchanged { return }
            known = found
        }
    }

    /// Since when callers have waited in vain, if the timeout of at least one has passed since the latest success.
    var firstTimeout: UInt64? {
        let began = unservedSince.load(ordering: .relaxed)
        return began > lastSuccess ? began : nil
    }

    /// The number of successes and failures so far. It may wrap.
    var count: Int { changes.load(ordering: .acquiring) }

    /// When the latest success was recorded; 0 if there was none.
    var lastSuccess: UInt64 { successAt.load(ordering: .relaxed) }

    /// When the latest failure was recorded; 0 if there was none.
    var lastFailure: UInt64 { failureAt.load(ordering: .relaxed) }

    /// The latest failure.
    var failure: (any Error)? { latestFailure.load() }

    /// Whether the latest recorded event was a failure.
    var isFailing: Bool { failing.load(ordering: .relaxed) }
}
