import BurstPool
import BurstPoolSampling
import Logging

/// Writes a pool's log, and no more of it than can be read.
final class PoolLog: Sendable {
    private let logger: Logger
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let stopwatch: Stopwatch
    private let limiter: LogLimiter<PoolLogKind>

    /// `nil`: there is nowhere to send it.
    init?(_ configuration: ConnectionPoolTelemetryConfiguration) {
        guard var logger = configuration.logger else { return nil }
        logger[metadataKey: "pool.name"] = .string(configuration.poolName)
        self.logger = logger
        interval = configuration.logInterval
        clock = configuration.clock
        stopwatch = Stopwatch(clock)
        limiter = LogLimiter(interval: interval)
    }

    deinit {
        for (kind, count) in limiter.takeAllSuppressed() { report(count, kind) }
    }

    func record(_ event: ConnectionPoolEvent) {
        guard let kind = PoolLogKind(event), logger.logLevel <= kind.level else { return }
        guard interval > .zero else { return write(kind, event) }
        switch limiter.admit(kind, now: stopwatch.elapsed) {
        case .log: write(kind, event)
        case .suppressAndReport(let end): reportSuppressed(kind, at: end)
        case .suppress: break
        }
    }

    private func write(_ kind: PoolLogKind, _ event: ConnectionPoolEvent) {
        logger.log(level: kind.level, "\(kind.rawValue)", metadata: event.logMetadata)
    }

    private func reportSuppressed(_ kind: PoolLogKind, at end: Duration) {
        // Detached, for it is the pool's business and not that of whose task this happens to be. It ends in an interval.
        Task.detached { [weak self, clock, remaining = min(end - stopwatch.elapsed, .longestSleep)] in
            try? await clock.sleep(for: remaining)
            guard let self else { return }
            let count = self.limiter.takeSuppressed(kind)
            if count > 0 { self.report(count, kind) }
        }
    }

    private func report(_ count: Int, _ kind: PoolLogKind) {
        logger.log(
            level: kind.level,
            "\(kind.rawValue), more of the same",
            metadata: [
                "suppressed": .stringConvertible(count), "interval_ms": .stringConvertible(interval.milliseconds),
            ]
        )
    }
}
