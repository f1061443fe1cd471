// SPDX-License-Identifier: Apache-2.0

import BurstPool
import CoreMetrics

/// The gauges of the busiest keys of a group, and of all other keys as one.
struct KeyMetrics: ~Copyable {
    private struct Meters {
        let used: Meter
        let pendingRequests: Meter

        func set(used: Int, pendingRequests: Int) {
            self.used.set(used)
            self.pendingRequests.set(pendingRequests)
        }

        func destroy() {
            used.destroy()
            pendingRequests.destroy()
        }
    }

    private let factory: any MetricsFactory
    private let dimensions: [(String, String)]
    private var meters: [String: Meters] = [:]

    init(_ factory: any MetricsFactory, dimensions: [(String, String)]) {
        self.factory = factory
        self.dimensions = dimensions
    }

    /// Sets the gauges of the busiest keys, and destroys those of keys that are no longer among them.
    ///
    /// - Parameters:
    ///   - busiest: The keys with gauges of their own.
    ///   - total: The numbers of all keys together. Read before `busiest`, so the difference may be negative for a moment.
    mutating func set(
        _ busiest: [(name: String, statistics: ConnectionPoolStatistics)],
        total: ConnectionPoolStatistics?
    ) {
        var others = (used: total?.inUse ?? 0, pendingRequests: total?.waiting ?? 0)
        var unused = meters
        unused[ConnectionPoolGroupTelemetry.otherKeys] = nil
        for (name, statistics) in busiest where name != ConnectionPoolGroupTelemetry.otherKeys {
            others.used -= statistics.inUse
            others.pendingRequests -= statistics.waiting
            unused[name] = nil
            meters(of: name).set(used: statistics.inUse, pendingRequests: statistics.waiting)
        }
        for (name, meters) in unused {
            meters.destroy()
            self.meters[name] = nil
        }
        meters(of: ConnectionPoolGroupTelemetry.otherKeys)
            .set(used: max(0, others.used), pendingRequests: max(0, others.pendingRequests))
    }

    private mutating func meters(of key: String) -> Meters {
        if let meters = meters[key] { return meters }
        let all = dimensions + [(Convention.key, key)]
        let new = Meters(
            used: Meter(label: Convention.prefix + "key.used", dimensions: all, factory: factory),
            pendingRequests: Meter(label: Convention.prefix + "key.pending_requests", dimensions: all, factory: factory)
        )
        meters[key] = new
        return new
    }
}
