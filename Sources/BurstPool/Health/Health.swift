// What the pool says about its health, from what it has seen.

extension _PoolEngine {
    /// What the pool has seen of its server. O(connections + greatest number of waiters at a time).
    public var currentHealth: ConnectionPoolHealth {
        let now = clock.now
        lookForReturns(now: now)
        return describeHealth(now: now)
    }

    /// - Parameters:
    ///   - verdict: What a check has found out; `nil` if only what the pool has seen counts.
    ///   - failure: The error that the check has met.
    func describeHealth(
        now: UInt64,
        verdict: ConnectionPoolHealth.Status? = nil,
        failure: (any Error)? = nil
    ) -> ConnectionPoolHealth {
        let statistics = statistics
        let earliestWait = statistics.waiting > 0 ? waits.earliest : nil
        let oldestWait = earliestWait.map { now.subtractingSaturated($0) }
        let isAtLimit = statistics.total >= (statistics.burstLimit ?? statistics.maxSize)
        return ConnectionPoolHealth(
            status: core.isShutDown ? .shutDown : verdict ?? statusSeen(statistics, oldestWait: oldestWait, now: now),
            isSaturated: statistics.waiting > 0 && isAtLimit,
            sinceLastSuccess: age(of: health.lastSuccess, now: now),
            sinceLastFailure: age(of: health.lastFailure, now: now),
            lastFailure: failure ?? health.failure,
            oldestWait: oldestWait.map { .nanoseconds(Int64(clamping: $0)) },
            isPaused: core.isPaused,
            statistics: statistics
        )
    }

    private func statusSeen(
        _ statistics: ConnectionPoolStatistics,
        oldestWait: UInt64?,
        now: UInt64
    ) -> ConnectionPoolHealth.Status {
        let lastSuccess = health.lastSuccess
        let sinceSuccess = now.subtractingSaturated(lastSuccess)
        if health.isFailing {
            // While other connections work, one that does not open is no outage: the server may have reached its own limit.
            let mayBeAnException = lastSuccess > 0 && statistics.idle + statistics.inUse > 0
            if !mayBeAnException || sinceSuccess >= HealthRecord.grace { return .failing }
        }
        let patience = settings.validationTimeout.nanoseconds
        // During a pause, callers wait for its end.
        if !core.isPaused, let oldestWait, oldestWait > patience, sinceSuccess > patience { return .unresponsive }
        return lastSuccess == 0 ? .unknown : .healthy
    }

    private func age(of moment: UInt64, now: UInt64) -> Duration? {
        moment == 0 ? nil : .nanoseconds(Int64(clamping: now.subtractingSaturated(moment)))
    }

    // MARK: Why callers get no connection

    /// Returns why a caller gets no connection that has not waited.
    func shortageCauseWithoutWait() -> ConnectionShortage {
        let now = clock.now
        lookForReturns(now: now)
        switch statusSeen(statistics, oldestWait: now.subtractingSaturated(waits.earliest ?? now), now: now) {
        case .failing: return .serverUnreachable
        case .unresponsive: return .serverUnresponsive
        default: return .busy
        }
    }
}
