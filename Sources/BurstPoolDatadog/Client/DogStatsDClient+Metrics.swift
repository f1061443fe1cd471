// Each of these methods returns at once. What has no usable name, or a value that is not finite, is counted as dropped:
// see ``DogStatsDStatistics/DropReason/invalid``.

extension DogStatsDClient {
    /// Adds to a count, which Datadog shows as a rate or a sum.
    ///
    /// - Parameters:
    ///   - name: What is counted.
    ///   - amount: How many; can be negative. Default: 1.
    ///   - tags: Besides the configuration's global ones. Default: none.
    ///   - sampleRate: The part of the calls that is sent, for the agent to extrapolate: 1 and more, all; 0 and less, none.
    ///     Ignored where counts are added up in the client, as they are by default. Default: 1.
    public func count(_ name: String, _ amount: Int = 1, tags: [DogStatsDTag] = [], sampleRate: Double = 1) {
        guard !recorder.aggregates else {
            return recorder.record(recorder.aggregatedMetric(.count, name, tags: tags)) { $0.add(Int64(amount)) }
        }
        recorder.sendMetric(name, .count, tags: tags, sampleRate: sampleRate) { $0.write(Int64(amount)) }
    }

    /// Adds a number with a fraction to a count. Otherwise like ``count(_:_:tags:sampleRate:)``.
    public func count(_ name: String, _ amount: Double, tags: [DogStatsDTag] = [], sampleRate: Double = 1) {
        guard amount.isFinite else { return recorder.queue.drop(.invalid) }
        guard !recorder.aggregates else {
            return recorder.record(recorder.aggregatedMetric(.fractionalCount, name, tags: tags)) { $0.add(amount) }
        }
        recorder.sendMetric(name, .count, tags: tags, sampleRate: sampleRate) { $0.write(amount) }
    }

    /// Adds to a count at a time in the past (protocol 1.3). Sent as it is: neither sampled nor put together with others.
    ///
    /// - Parameter timestamp: Seconds after 1970.
    public func count(_ name: String, _ amount: Int = 1, tags: [DogStatsDTag] = [], timestamp: Int64) {
        recorder.sendMetric(name, .count, tags: tags, timestamp: timestamp) { $0.write(Int64(amount)) }
    }

    /// Says what something is at the moment. The last value before a flush counts.
    public func gauge(_ name: String, _ value: Double, tags: [DogStatsDTag] = []) {
        guard value.isFinite else { return recorder.queue.drop(.invalid) }
        guard !recorder.aggregates else {
            return recorder.record(recorder.aggregatedMetric(.gauge, name, tags: tags)) { $0.set(value) }
        }
        recorder.sendMetric(name, .gauge, tags: tags) { $0.write(value) }
    }

    /// Says what something was at a time in the past (protocol 1.3). Sent as it is.
    ///
    /// - Parameter timestamp: Seconds after 1970.
    public func gauge(_ name: String, _ value: Double, tags: [DogStatsDTag] = [], timestamp: Int64) {
        guard value.isFinite else { return recorder.queue.drop(.invalid) }
        recorder.sendMetric(name, .gauge, tags: tags, timestamp: timestamp) { $0.write(value) }
    }

    /// Records a value whose average, median, maximum and the like the agent computes, for its host.
    ///
    /// - Parameters:
    ///   - name: What is measured.
    ///   - value: In the unit in which it is to be shown.
    ///   - tags: Besides the configuration's global ones. Default: none.
    ///   - sampleRate: The part of the calls that is sent, for the agent to extrapolate: 1 and more, all; 0 and less, none.
    ///     Default: 1.
    public func histogram(_ name: String, _ value: Double, tags: [DogStatsDTag] = [], sampleRate: Double = 1) {
        histogram(name, values: CollectionOfOne(value), tags: tags, sampleRate: sampleRate)
    }

    /// Records several values at once, in one message as far as it fits into a datagram (protocol 1.1).
    ///
    /// If one of them is not finite, all are dropped.
    public func histogram(
        _ name: String,
        values: some Collection<Double>,
        tags: [DogStatsDTag] = [],
        sampleRate: Double = 1
    ) {
        recorder.sendValues(values, name, .histogram, tags: tags, sampleRate: sampleRate)
    }

    /// Records a value whose percentiles Datadog computes, over all hosts. Otherwise like ``histogram(_:_:tags:sampleRate:)``.
    public func distribution(_ name: String, _ value: Double, tags: [DogStatsDTag] = [], sampleRate: Double = 1) {
        distribution(name, values: CollectionOfOne(value), tags: tags, sampleRate: sampleRate)
    }

    /// Records several values at once. Otherwise like ``histogram(_:values:tags:sampleRate:)``.
    public func distribution(
        _ name: String,
        values: some Collection<Double>,
        tags: [DogStatsDTag] = [],
        sampleRate: Double = 1
    ) {
        recorder.sendValues(values, name, .distribution, tags: tags, sampleRate: sampleRate)
    }

    /// Records how long something took, in milliseconds, to the nanosecond. For the agent it is a histogram.
    public func timing(_ name: String, _ duration: Duration, tags: [DogStatsDTag] = [], sampleRate: Double = 1) {
        let value = CollectionOfOne(duration.milliseconds)
        recorder.sendValues(value, name, .timing, tags: tags, sampleRate: sampleRate)
    }

    /// Records that something was seen, for Datadog to count how many different ones there are.
    ///
    /// - Parameter member: What was seen. `|` and line breaks become underscores. An empty one is dropped as invalid.
    public func set(_ name: String, _ member: String, tags: [DogStatsDTag] = []) {
        guard !member.isEmpty else { return recorder.queue.drop(.invalid) }
        recorder.sendMetric(name, .set, tags: tags) { $0.writeField(member) }
    }
}

extension Duration {
    /// As a number, to the nearest nanosecond for durations of less than 104 days.
    var milliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1e3 + (Double(attoseconds) / 1e9).rounded() / 1e6
    }
}
