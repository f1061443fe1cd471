// SPDX-License-Identifier: Apache-2.0

import BurstPool
import CoreMetrics

/// The gauges of leases, which only a shared pool has.
struct LeaseMetrics: Sendable {
    private let idle: Meter
    private let used: Meter

    init(_ factory: any MetricsFactory, dimensions: [(String, String)]) {
        func meter(_ state: String) -> Meter {
            Meter(
                label: Convention.prefix + "lease.count",
                dimensions: dimensions + [(Convention.state, state)],
                factory: factory
            )
        }
        idle = meter("idle")
        used = meter("used")
    }

    /// - Parameter statistics: `nil` if the pool is gone.
    func set(_ statistics: ConnectionPoolStatistics?) {
        idle.set(statistics?.leasesIdle ?? 0)
        used.set(statistics?.leasesInUse ?? 0)
    }
}
