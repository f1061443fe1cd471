// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolSampling
import CoreMetrics

/// The metrics of one pool, named as in OpenTelemetry's semantic conventions for database clients.
///
/// Source: OpenTelemetry, "Semantic conventions for database client metrics", section "Connection pools".
final class PoolMetrics: Sendable {
    private let idle: Meter
    private let used: Meter
    private let max: Meter
    private let idleMax: Meter
    private let idleMin: Meter
    private let pendingRequests: Meter
    private let timeouts: Counter
    private let createTime: DurationRecorder
    private let waitTime: DurationRecorder
    private let useTime: DurationRecorder?

    /// Returns `nil` if the configuration has no metrics backend.
    init?(_ configuration: ConnectionPoolTelemetryConfiguration, poolName: String) {
        guard let factory = Self.backend(of: configuration) else { return nil }
        let dimensions = configuration.dimensions(ofPool: poolName)
        func meter(_ name: String, _ more: [(String, String)] = []) -> Meter {
            Meter(label: Convention.prefix + name, dimensions: dimensions + more, factory: factory)
        }
        func duration(_ name: String) -> DurationRecorder {
            DurationRecorder(name, dimensions: dimensions, factory: factory)
        }
        idle = meter("count", [(Convention.state, "idle")])
        used = meter("count", [(Convention.state, "used")])
        max = meter("max")
        idleMax = meter("idle.max")
        idleMin = meter("idle.min")
        pendingRequests = meter("pending_requests")
        timeouts = Counter(label: Convention.prefix + "timeouts", dimensions: dimensions, factory: factory)
        createTime = duration("create_time")
        waitTime = duration("wait_time")
        useTime = configuration.recordsUseTime ? duration("use_time") : nil
    }

    /// Returns the metrics backend, unless it discards all metrics.
    static func backend(of configuration: ConnectionPoolTelemetryConfiguration) -> (any MetricsFactory)? {
        configuration.metricsFactory.flatMap { $0 is NOOPMetricsHandler ? nil : $0 }
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

    /// Records acquires that found an idle connection and did not wait.
    func recordImmediateAcquires(_ count: Int) {
        waitTime.recordZero(count: count)
    }

    /// Sets the gauges.
    ///
    /// - Parameter statistics: `nil` if the pool is gone.
    func set(_ statistics: ConnectionPoolStatistics?, minimumIdle: Int) {
        let limit = statistics.map { $0.burstLimit ?? $0.maxSize } ?? 0
        idle.set(statistics?.idle ?? 0)
        used.set(statistics?.inUse ?? 0)
        max.set(limit)
        idleMax.set(statistics?.maxSize ?? 0)
        // A pool that was shut down has limits of zero and keeps no connections.
        idleMin.set(limit == 0 ? 0 : minimumIdle)
        pendingRequests.set(statistics?.waiting ?? 0)
    }
}
