// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How long a caller is going to wait.
@usableFromInline
struct Patience {
    /// `nil` means without limit.
    @usableFromInline let timeout: Duration?
    /// Whether the timeout is shorter than the caller's own, because the queue is standing.
    @usableFromInline let isShortened: Bool

    @usableFromInline
    init(_ timeout: Duration?, isShortened: Bool = false) {
        self.timeout = timeout
        self.isShortened = isShortened
    }
}

/// The state of a ``ConnectionLoadShedding``: since when the queue has not been empty, as seen by the callers that join it.
@usableFromInline
final class LoadShedding: Sendable {
    private let target: Duration
    private let targetNanoseconds: UInt64
    private let interval: UInt64
    private let busySince = Atomic<UInt64>(0)
    /// When the queue was last found to be standing; 0 if never.
    private let stoodAt = Atomic<UInt64>(0)

    init(_ configuration: ConnectionLoadShedding) {
        target = configuration.target
        targetNanoseconds = configuration.target.nanoseconds
        interval = configuration.interval.nanoseconds
    }

    /// Returns how long a caller that joins the queue now is going to wait.
    ///
    /// - Parameter queued: The number of waiters for whom no connection is being opened.
    @usableFromInline
    func patience(_ timeout: Duration?, queued: Int, now: UInt64) -> Patience {
        if queued == 0 {
            busySince.store(now, ordering: .relaxed)
            return Patience(timeout)
        }
        let since = busySince.load(ordering: .relaxed)
        let stood = stoodAt.load(ordering: .relaxed)
        guard now > since, now - since > grace(now, stood: stood) else { return Patience(timeout) }
        // Bursts of callers now and then do not prolong this time. Only a queue that was hardly ever empty does.
        if now - since > interval || since < stood || since - stood <= interval {
            stoodAt.store(now, ordering: .relaxed)
        }
        guard timeout.map({ $0 > target }) ?? true else { return Patience(timeout) }
        return Patience(target, isShortened: true)
    }

    /// Returns how long the queue must not have been empty to count as standing.
    ///
    /// A queue that is kept short is empty now and then, although the load has not changed. Without this memory it would
    /// stand for the whole interval again after each such moment.
    private func grace(_ now: UInt64, stood: UInt64) -> UInt64 {
        // Another thread may have read the clock later than this one.
        let isRemembered = stood > 0 && (now < stood || (now - stood) / 16 < interval)
        return isRemembered ? targetNanoseconds : interval
    }
}
