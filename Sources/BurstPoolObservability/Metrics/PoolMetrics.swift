import BurstPool
import CoreMetrics

/// A pool's metrics, by the names of OpenTelemetry's semantic conventions for database clients.
///
/// Source: OpenTelemetry, Semantic conventions for database client metrics, "Connection pools".
final class PoolMetrics: Sendable {
    private let idle: Meter
    private let used: Meter
    private let max: Meter
    private let idleMax: Meter
    private let idleMin: Meter
    private let pendingRequests: Meter
    private let timeouts: Counter
    private let createTime: Timer
    private let waitTime: Timer
    private let useTime: Timer?

    /// `nil`: there is nowhere to send them.
    init?(_ configuration: ConnectionPoolTelemetryConfiguration) {
        guard let factory = configuration.metricsFactory, !(factory is NOOPMetricsHandler) else { return nil }
        let dimensions = [(Convention.poolName, configuration.poolName)] + configuration.dimensions
        func meter(_ name: String, _ more: [(String, String)] = []) -> Meter {
            Meter(label: Convention.prefix + name, dimensions: dimensions + more, factory: factory)
        }
        func timer(_ name: String) -> Timer {
            Timer(
                label: Convention.prefix + name,
                dimensions: dimensions,
                preferredDisplayUnit: .seconds,
                factory: factory
            )
        }
        idle = meter("count", [(Convention.state, "idle")])
        used = meter("count", [(Convention.state, "used")])
        max = meter("max")
        idleMax = meter("idle.max")
        idleMin = meter("idle.min")
        pendingRequests = meter("pending_requests")
        timeouts = Counter(label: Convention.prefix + "timeouts", dimensions: dimensions, factory: factory)
        createTime = timer("create_time")
        waitTime = timer("wait_time")
        useTime = configuration.recordsUseTime ? timer("use_time") : nil
    }

    func record(_ event: ConnectionPoolEvent) {
        switch event {
        case .opened(let duration, _): createTime.record(duration)
        case .acquired(_, let waited, _): waitTime.record(waited)
        case .acquireFailed(let error, _, _):
            if (error as? ConnectionPoolError)?.code == .acquireTimedOut { timeouts.increment() }
        case .released(let held): useTime?.record(held)
        default: break
        }
    }

    /// - Parameter statistics: `nil`: the pool is gone.
    func set(_ statistics: ConnectionPoolStatistics?, minimumIdle: Int) {
        let limit = statistics.map { $0.burstLimit ?? $0.maxSize } ?? 0
        idle.set(statistics?.idle ?? 0)
        used.set(statistics?.inUse ?? 0)
        max.set(limit)
        idleMax.set(statistics?.maxSize ?? 0)
        // A pool that was shut down keeps no connections.
        idleMin.set(limit == 0 ? 0 : minimumIdle)
        pendingRequests.set(statistics?.waiting ?? 0)
    }
}

extension Timer {
    fileprivate func record(_ duration: Duration) {
        recordNanoseconds(duration.nanoseconds)
    }
}
