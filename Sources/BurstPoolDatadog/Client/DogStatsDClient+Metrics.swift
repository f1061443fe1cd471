// SPDX-License-Identifier: Apache-2.0

// These methods never wait. A metric without a valid name or with a value that is not finite is dropped and counted as
// ``DogStatsDStatistics/DropReason/invalid``.

extension DogStatsDClient {
    /// Adds to a count, which Datadog shows as a rate or a sum.
    ///
    /// - Parameters:
    ///   - name: The name of the count.
    ///   - amount: The number to add, which may be negative. Default: 1.
    ///   - tags: Tags in addition to the configuration's global tags. Default: none.
    ///   - sampleRate: The share of calls that are sent, from 0 (none) to 1 (all). The agent extrapolates. Ignored if the
    ///     client aggregates counts, which is the default. Default: 1.
    public func count(_ name: String, _ amount: Int = 1, tags: [DogStatsDTag] = [], sampleRate: Double = 1) {
        guard !recorder.aggregates else {
            return recorder.record(recorder.aggregatedMetric(.count, name, tags: tags)) { $0.add(Int64(amount)) }
        }
        recorder.sendMetric(name, .count, tags: tags, sampleRate: sampleRate) { $0.write(Int64(amount)) }
    }

    /// Adds a fractional number to a count. Otherwise like ``count(_:_:tags:sampleRate:)``.
    public func count(_ name: String, _ amount: Double, tags: [DogStatsDTag] = [], sampleRate: Double = 1) {
        guard amount.isFinite else { return recorder.queue.drop(.invalid) }
        guard !recorder.aggregates else {
            return recorder.record(recorder.aggregatedMetric(.fractionalCount, name, tags: tags)) { $0.add(amount) }
        }
        recorder.sendMetric(name, .count, tags: tags, sampleRate: sampleRate) { $0.write(amount) }
    }

    /// Adds to a count at a time in the past (protocol 1.3). The value is neither sampled nor aggregated.
    ///
    /// - Parameters:
    ///   - name: The name of the metric.
    ///   - amount: What is added.
    ///   - tags: The tags of the metric, in addition to those of the client.
    ///   - timestamp: Seconds since 1970.
    public func count(_ name: String, _ amount: Int = 1, tags: [DogStatsDTag] = [], timestamp: Int64) {
        recorder.sendMetric(name, .count, tags: tags, timestamp: timestamp) { $0.write(Int64(amount)) }
    }

    /// Sets a gauge to its current value. The last value before a flush is sent.
    public func gauge(_ name: String, _ value: Double, tags: [DogStatsDTag] = []) {
        guard value.isFinite else { return recorder.queue.drop(.invalid) }
        guard !recorder.aggregates else {
            return recorder.record(recorder.aggregatedMetric(.gauge, name, tags: tags)) { $0.set(value) }
        }
        recorder.sendMetric(name, .gauge, tags: tags) { $0.write(value) }
    }

    /// Sets a gauge to its value at a time in the past (protocol 1.3). The value is not aggregated.
    ///
    /// - Parameters:
    ///   - name: The name of the metric.
    ///   - value: The value at that time.
    ///   - tags: The tags of the metric, in addition to those of the client.
    ///   - timestamp: Seconds since 1970.
    public func gauge(_ name: String, _ value: Double, tags: [DogStatsDTag] = [], timestamp: Int64) {
        guard value.isFinite else { return recorder.queue.drop(.invalid) }
        recorder.sendMetric(name, .gauge, tags: tags, timestamp: timestamp) { $0.write(value) }
    }

    /// Records a value. The agent computes the average, the median, the maximum and so on for its host.
    ///
    /// - Parameters:
    ///   - name: The name of the metric.
    ///   - value: The value, in the unit in which it is shown.
    ///   - tags: Tags in addition to the configuration's global tags. Default: none.
    ///   - sampleRate: The share of calls that are sent, from 0 (none) to 1 (all). The agent extrapolates. Default: 1.
    public func histogram(_ name: String, _ value: Double, tags: [DogStatsDTag] = [], sampleRate: Double = 1) {
        histogram(name, values: CollectionOfOne(value), tags: tags, sampleRate: sampleRate)
    }

    /// Records several values in one message, or in several if they do not fit into one datagram (protocol 1.1).
    ///
    /// If one value is not finite, all are dropped.
    public func histogram(
        _ name: String,
        values: some Collection<Double>,
        tags: [DogStatsDTag] = [],
        sampleRate: Double = 1
    ) {
        recorder.sendValues(values, name, .histogram, tags: tags, sampleRate: sampleRate)
    }

    /// Records a value. Datadog computes percentiles over all hosts. Otherwise like ``histogram(_:_:tags:sampleRate:)``.
    public func distribution(_ name: String, _ value: Double, tags: [DogStatsDTag] = [], sampleRate: Double = 1) {
        distribution(name, values: CollectionOfOne(value), tags: tags, sampleRate: sampleRate)
    }

    /// Records several values. Otherwise like ``histogram(_:values:tags:sampleRate:)``.
    public func distribution(
        _ name: String,
        values: some Collection<Double>,
        tags: [DogStatsDTag] = [],
        sampleRate: Double = 1
    ) {
        recorder.sendValues(values, name, .distribution, tags: tags, sampleRate: sampleRate)
    }

    /// Records a duration in milliseconds, with nanosecond precision. The agent treats it as a histogram.
    public func timing(_ name: String, _ duration: Duration, tags: [DogStatsDTag] = [], sampleRate: Double = 1) {
        let value = CollectionOfOne(duration.milliseconds)
        recorder.sendValues(value, name, .timing, tags: tags, sampleRate: sampleRate)
    }

    /// Adds a member to a set, whose distinct members Datadog counts.
    ///
    /// - Parameters:
    ///   - name: The name of the metric.
    ///   - member: The member. `|` and line breaks become underscores. An empty member is dropped as invalid.
    ///   - tags: The tags of the metric, in addition to those of the client.
    public func set(_ name: String, _ member: String, tags: [DogStatsDTag] = []) {
        guard !member.isEmpty else { return recorder.queue.drop(.invalid) }
        recorder.sendMetric(name, .set, tags: tags) { $0.writeField(member) }
    }
}

extension Duration {
    /// The duration in milliseconds, exact to the nanosecond for durations below 104 days.
    var milliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1e3 + (Double(attoseconds) / 1e9).rounded() / 1e6
    }
}
