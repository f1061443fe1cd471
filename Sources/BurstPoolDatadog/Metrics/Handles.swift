// SPDX-License-Identifier: Apache-2.0

/// A reference to a metric that is aggregated between two flushes, which saves the lookup by name.
///
/// It keeps the client alive, so that recorded values are still sent.
struct AggregatedHandle: Sendable {
    private let client: DogStatsDClient
    private let metric: AggregatedMetric?

    init(_ client: DogStatsDClient, _ kind: AggregatedMetric.Kind, _ label: String, _ dimensions: [(String, String)]) {
        self.client = client
        metric = client.recorder.aggregatedMetric(kind, label, tags: dimensions.map(DogStatsDTag.init))
    }

    func record(_ change: (AggregatedMetric) -> Void) { client.recorder.record(metric, change) }

    func dropInvalid() { client.recorder.queue.drop(.invalid) }
}

/// A metric of which every value is sent.
struct ValueHandle: Sendable {
    private let client: DogStatsDClient
    private let label: String
    private let tags: [DogStatsDTag]
    let type: MetricType

    init(_ client: DogStatsDClient, _ type: MetricType, _ label: String, _ dimensions: [(String, String)]) {
        self.client = client
        self.type = type
        self.label = label
        tags = dimensions.map(DogStatsDTag.init)
    }

    func send(_ value: Double) {
        client.recorder.sendValues(CollectionOfOne(value), label, type, tags: tags, sampleRate: 1)
    }

    /// Sends a value that stands for `1 / sampleRate` values.
    func send(_ value: Double, sampleRate: Double) {
        client.recorder.sendValues(
            CollectionOfOne(value),
            label,
            type,
            tags: tags,
            sampleRate: sampleRate,
            isSampled: true
        )
    }
}
