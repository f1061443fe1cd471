import Synchronization

/// The counts and gauges that are put together between two flushes.
///
/// A caller who has only a name and tags finds its metric in a table, under a lock. Whoever records the same metric over and
/// over keeps it (as the swift-metrics backend does) and takes no lock, but for the first value after each flush.
final class AggregatedMetrics: Sendable {
    /// How many metrics the table holds, and how many can have something to send, so that names or tags without end (a user's
    /// number in a tag) do not take memory without end.
    static let limit = 10_000

    private struct Key: Hashable {
        var kind: AggregatedMetric.Kind
        var name: String
        var tags: [DogStatsDTag]
    }

    private let table = Mutex<[Key: AggregatedMetric]>([:])
    private let listed = Mutex<[AggregatedMetric]>([])

    /// The metric with a name and tags.
    ///
    /// When the table is full it is emptied: those who hold a metric go on with it, and what it has to send stays listed.
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

    /// To be called after a value was recorded.
    ///
    /// - Returns: `false` if the list is full. The caller then sends the metric itself.
    func list(_ metric: AggregatedMetric) -> Bool {
        guard metric.claimListing() else { return true }
        return listed.withLock { listed in
            guard listed.count < Self.limit else {
                metric.takeOffList()
                return false
            }
            listed.append(metric)
            return true
        }
    }

    /// Those that have something to send. Each may be listed again from now on.
    func takeListed() -> [AggregatedMetric] {
        let metrics = listed.withLock { listed in
            defer { listed = [] }
            return listed
        }
        for metric in metrics { metric.takeOffList() }
        return metrics
    }
}
