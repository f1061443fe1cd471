// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolSampling
import Logging

/// Logs a pool's events, at most one line of each kind in an interval.
final class PoolLog: Sendable {
    private let logger: Logger
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let stopwatch: Stopwatch
    private let limiter: LogLimiter<PoolLogKind>

    /// Returns `nil` if the configuration has no logger.
    init?(_ configuration: ConnectionPoolTelemetryConfiguration, poolName: String) {
        guard var logger = configuration.logger else { return nil }
        logger[metadataKey: "pool.name"] = .string(poolName)
        self.logger = logger
        interval = configuration.logInterval
        clock = configuration.clock
        stopwatch = Stopwatch(clock)
        limiter = LogLimiter(interval: interval)
    }

    deinit {
        for (kind, count) in limiter.takeAllSuppressed() { logSuppressed(count, kind) }
    }

    /// - Parameter poolName: The name of one pool of a group; `nil` for the pool of this log.
    func record(_ event: ConnectionPoolEvent, poolName: String? = nil) {
        guard let kind = PoolLogKind(event), logger.logLevel <= kind.level else { return }
        guard interval > .zero else { return log(kind, event, poolName) }
        switch limiter.admit(kind, now: stopwatch.elapsed) {
        case .log: log(kind, event, poolName)
        case .suppressAndReport(let end): scheduleReport(kind, at: end)
        case .suppress: break
        }
    }

    private func log(_ kind: PoolLogKind, _ event: ConnectionPoolEvent, _ poolName: String?) {
        var metadata = event.logMetadata
        if let poolName { metadata["pool.name"] = .string(poolName) }
        logger.log(level: kind.level, "\(kind.rawValue)", metadata: metadata)
    }

    private func scheduleReport(_ kind: PoolLogKind, at end: Duration) {
        // Detached, so that the task does not inherit the task-local values of the caller whose event this happens to be.
        Task.detached { [weak self, clock, remaining = min(end - stopwatch.elapsed, .longestSleep)] in
            try? await clock.sleep(for: remaining)
            guard let self else { return }
            let count = self.limiter.takeSuppressed(kind)
            if count > 0 { self.logSuppressed(count, kind) }
        }
    }

    private func logSuppressed(_ count: Int, _ kind: PoolLogKind) {
        logger.log(
            level: kind.level,
            "\(kind.rawValue) (\(count) more)",
            metadata: [
                "suppressed": .stringConvertible(count), "interval_ms": .stringConvertible(interval.milliseconds),
            ]
        )
    }
}
