// SPDX-License-Identifier: Apache-2.0

// How the pool describes its health, from the successes and failures that it has recorded.

extension _PoolEngine {
    /// The health of the pool, from the successes and failures so far. O(connections + greatest number of waiters at a time).
    public var currentHealth: ConnectionPoolHealth {
        let now = clock.now
        noteReleases(now: now)
        return describeHealth(now: now)
    }

    /// Returns the health of the pool.
    ///
    /// - Parameters:
    ///   - verdict: The result of a health check; `nil` if the status follows from the recorded successes and failures.
    ///   - failure: The error with which the check has just failed.
    func describeHealth(
        now: UInt64,
        verdict: ConnectionPoolHealth.Status? = nil,
        failure: (any Error)? = nil
    ) -> ConnectionPoolHealth {
        let statistics = sharing?.statistics ?? statistics
        let earliestWait = statistics.waiting > 0 ? earliestWait : nil
        let oldestWait = earliestWait.map { now.subtractingSaturated($0) }
        let isAtLimit = statistics.total >= (statistics.burstLimit ?? statistics.maxSize)
        return ConnectionPoolHealth(
            status: core.isShutDown
                ? .shutDown : verdict ?? observedStatus(statistics, oldestWait: { oldestWait }, now: now),
            isSaturated: statistics.waiting > 0 && isAtLimit,
            sinceLastSuccess: age(of: health.lastSuccess, now: now),
            sinceLastFailure: failure == nil ? age(of: health.lastFailure, now: now) : .zero,
            lastFailure: failure ?? health.failure,
            oldestWait: oldestWait.map { .nanoseconds(Int64(clamping: $0)) },
            isPaused: core.isPaused,
            statistics: statistics
        )
    }

    /// Returns the status that follows from the recorded successes and failures.
    private func observedStatus(
        _ statistics: ConnectionPoolStatistics,
        oldestWait: () -> UInt64?,
        now: UInt64
    ) -> ConnectionPoolHealth.Status {
        let lastSuccess = health.lastSuccess
        let sinceSuccess = now.subtractingSaturated(lastSuccess)
        if health.isFailing {
            // A failed attempt to open a connection is no outage while other connections work: the server may have reached its
            // own limit.
            let mayBeAnException = lastSuccess > 0 && statistics.idle + statistics.inUse > 0
            if !mayBeAnException || sinceSuccess >= HealthRecord.grace { return .failing }
        }
        let patience = settings.validationTimeout.nanoseconds
        // While the pool is paused, callers wait for its end, so their wait says nothing about the server.
        // The oldest wait last: finding it takes time in proportion to the number of waiters.
        if !core.isPaused, sinceSuccess > patience {
            // Callers whose timeout is shorter than this patience do not wait for so long, but each of them in vain.
            let inVain = health.firstTimeout.map { now.subtractingSaturated($0) } ?? 0
            if inVain > patience || oldestWait() ?? 0 > patience { return .unresponsive }
        }
        return lastSuccess == 0 ? .unknown : .healthy
    }

    /// When the wait of the oldest caller began. In a shared pool, the callers wait in the queue of the other engine.
    private var earliestWait: UInt64? {
        if let sharing { return sharing.earliestWait }
        return waits.earliest
    }

    private func age(of moment: UInt64, now: UInt64) -> Duration? {
        moment == 0 ? nil : .nanoseconds(Int64(clamping: now.subtractingSaturated(moment)))
    }

    // MARK: Why callers get no connection

    /// Returns why no connection is available, for a caller that has not waited.
    func shortageCauseWithoutWait() -> ConnectionShortage {
        let now = clock.now
        noteReleases(now: now)
        let oldestWait = { self.earliestWait.map { now.subtractingSaturated($0) } }
        switch observedStatus(statistics, oldestWait: oldestWait, now: now) {
        case .failing: return .serverUnreachable
        case .unresponsive: return .serverUnresponsive
        default: return .busy
        }
    }
}
