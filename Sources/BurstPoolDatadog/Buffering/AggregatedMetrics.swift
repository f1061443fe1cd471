// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The counts and gauges that are aggregated between two flushes.
///
/// A caller that has only a name and tags looks its metric up in a table, under a lock. A caller that keeps its metric, such as
/// the swift-metrics backend, takes a lock only for the first value after each flush.
final class AggregatedMetrics: Sendable {
    /// The largest number of metrics in the table, and in the list. It bounds the memory if names or tags never repeat, for
    /// example because a tag contains a user's number.
    static let limit = 10_000

    private struct Key: Hashable {
        var kind: AggregatedMetric.Kind
        var name: String
        var tags: [DogStatsDTag]
    }

    private let table = Mutex<[Key: AggregatedMetric]>([:])
    /// The metrics that have a value to send.
    private let listed = Mutex<[AggregatedMetric]>([])

    /// Returns the metric with a name and tags.
    ///
    /// A full table is emptied. Callers that hold a metric continue to use it, and listed metrics are still sent.
    func metric(_ kind: AggregatedMetric.Kind, name: String, tags: [DogStatsDTag]) -> AggregatedMetric {
        let key = Key(kind: kind, name: name, tags: tags)
        return table.withLock { table in
            if let metric = table[key] { return metric }
            if table.count >= Self.limit { table.removeAll(keepingCapacity: true) }
            let metric = AggregatedMetric(kind: kind, name: name, tags: tags)
            table[key] = metric
            return metric
        }
    }

    /// Enters a metric into the list after a value was recorded.
    ///
    /// - Returns: `false` if the list is full. The caller then sends the metric itself.
    func list(_ metric: AggregatedMetric) -> Bool {
        guard metric.claimListing() else { return true }
        return listed.withLock { listed in
            guard listed.count < Self.limit else {
                metric.leaveList()
                return false
            }
            listed.append(metric)
            return true
        }
    }

    /// Empties the list and returns its metrics. Each metric can be listed again from then on.
    func takeListed() -> [AggregatedMetric] {
        let metrics = listed.withLock { listed in
            defer { listed = [] }
            return listed
        }
        for metric in metrics { metric.leaveList() }
        return metrics
    }
}
