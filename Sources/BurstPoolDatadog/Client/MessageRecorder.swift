// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Turns recorded values into messages and appends them to the queue.
final class MessageRecorder: Sendable {
    let format: MessageFormat
    let queue: DatagramQueue
    let aggregated = AggregatedMetrics()
    let aggregates: Bool
    private let telemetry: Telemetry?
    private let dropLog: DropLog?
    private let closed = Atomic(false)
    private let sources = Mutex<[@Sendable () -> Bool]>([])

    init(_ configuration: DogStatsDConfiguration) {
        format = MessageFormat(configuration)
        queue = DatagramQueue(
            datagramSize: configuration.datagramSize,
            limit: configuration.maximumQueuedDatagrams
        )
        aggregates = configuration.aggregatesCountsAndGauges
        telemetry = configuration.sendsTelemetry ? Telemetry(configuration) : nil
        dropLog = DropLog(configuration)
    }

    var isClosed: Bool { closed.load(ordering: .relaxed) }

    /// Adds a source that is asked before each flush to record values that are counted elsewhere.
    ///
    /// - Parameter source: Records the values. Returns `false` when there will be no more. It must neither keep the client
    ///   alive nor add a source.
    func addSource(_ source: @escaping @Sendable () -> Bool) {
        sources.withLock { $0.append(source) }
    }

    /// Appends messages with the values that were aggregated since the previous call.
    func collect() {
        askSources()
        sendCollected()
    }

    private func askSources() {
        // Under the lock, so that a concurrent flush returns only after these values were recorded.
        sources.withLock { sources in sources.removeAll { !$0() } }
    }

    private func sendCollected() {
        for metric in aggregated.takeListed() { sendValue(of: metric) }
    }

    /// Rejects further values, and has the remaining messages sent.
    func close() {
        // Before the recorder is closed, because a closed one rejects their values.
        askSources()
        guard !closed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        recordTelemetry(isLast: true)
        sendCollected()
        queue.close()
    }

    func recordTelemetryIfDue() {
        recordTelemetry(isLast: false)
    }

    private func recordTelemetry(isLast: Bool) {
        guard let telemetry else { return }
        for count in telemetry.update(queue.statistics, isLast: isLast) where !aggregated.list(count) {
            sendValue(of: count)
        }
    }

    /// Logs that messages were dropped, if the interval since the previous log line has passed.
    func logDropsIfDue() {
        dropLog?.log(queue.statistics.dropped, ignoringInterval: false)
    }

    /// Logs that messages were dropped since the previous log line.
    func logDrops() {
        dropLog?.log(queue.statistics.dropped, ignoringInterval: true)
    }
}

// MARK: - Metrics

extension MessageRecorder {
    /// Sends a metric in a message of its own.
    ///
    /// - Parameter writeValue: Writes the value. May be called twice.
    func sendMetric(
        _ name: String,
        _ type: MetricType,
        tags: [DogStatsDTag],
        sampleRate: Double = 1,
        timestamp: Int64? = nil,
        value writeValue: (inout ByteWriter) -> Void
    ) {
        guard isSampled(sampleRate) else { return }
        guard let name = format.name(name), timestamp.map({ $0 > 0 }) ?? true else { return queue.drop(.invalid) }
        submit(.metric) { writer in
            format.writeMetric(
                named: name,
                type: type,
                tags: tags,
                sampleRate: sampleRate,
                timestamp: timestamp,
                into: &writer,
                value: writeValue
            )
        }
    }

    /// Sends several values of a metric, in as few messages as fit into datagrams.
    ///
    /// - Parameter isSampled: Whether the values were sampled before, so that the sample rate is only written.
    func sendValues(
        _ values: some Collection<Double>,
        _ name: String,
        _ type: MetricType,
        tags: [DogStatsDTag],
        sampleRate: Double,
        isSampled: Bool = false
    ) {
        guard !values.isEmpty, isSampled || self.isSampled(sampleRate) else { return }
        guard let name = format.name(name), values.allSatisfy(\.isFinite) else { return queue.drop(.invalid) }
        sendPart(values[...], named: name, type, tags: tags, sampleRate: sampleRate)
    }

    private func sendPart(
        _ values: some Collection<Double>,
        named name: String,
        _ type: MetricType,
        tags: [DogStatsDTag],
        sampleRate: Double
    ) {
        let outcome = submitIfItFits(.metric) { writer in
            format.writeMetric(named: name, type: type, tags: tags, sampleRate: sampleRate, into: &writer) { writer in
                var isFirst = true
                for value in values {
                    if !isFirst { writer.write(UInt8(ascii: ":")) }
                    writer.write(value)
                    isFirst = false
                }
            }
        }
        if outcome != .tooLarge { return }
        guard values.count > 1 else { return queue.drop(.tooLarge) }
        let half = values.count / 2
        sendPart(values.prefix(half), named: name, type, tags: tags, sampleRate: sampleRate)
        sendPart(values.dropFirst(half), named: name, type, tags: tags, sampleRate: sampleRate)
    }

    /// Returns the aggregated metric with a name and tags, or `nil` if the name is invalid.
    func aggregatedMetric(_ kind: AggregatedMetric.Kind, _ name: String, tags: [DogStatsDTag]) -> AggregatedMetric? {
        format.name(name).map { aggregated.metric(kind, name: $0, tags: tags) }
    }

    /// Records a value of an aggregated metric.
    ///
    /// - Parameters:
    ///   - metric: `nil` if its name is invalid.
    ///   - change: Adds or sets the value.
    func record(_ metric: AggregatedMetric?, _ change: (AggregatedMetric) -> Void) {
        guard let metric else { return queue.drop(.invalid) }
        guard !isClosed else { return queue.drop(.shutDown) }
        change(metric)
        guard aggregates, aggregated.list(metric) else { return sendValue(of: metric) }
    }

    private func sendValue(of metric: AggregatedMetric) {
        guard let value = metric.takeValue() else { return }
        let taken = TakenValue(metric: metric, value: value)
        let outcome = submitIfItFits(.metric, value: taken) { writer in
            format.writeMetric(
                named: metric.name,
                type: metric.kind == .gauge ? .gauge : .count,
                tags: metric.tags,
                into: &writer
            ) {
                switch value {
                case .integer(let value): $0.write(value)
                case .fractional(let value): $0.write(value)
                }
            }
        }
        switch outcome {
        case .accepted: break
        case .rejected: restore([taken])
        case .tooLarge: queue.drop(.tooLarge)
        }
    }

    /// Adds values back to their metrics that could not be sent, so that the next flush sends them.
    func restore(_ values: [TakenValue]) {
        guard !isClosed else { return }
        for taken in values {
            taken.metric.restore(taken.value)
            // If the list is full, the value is sent together with the next one that is recorded.
            _ = aggregated.list(taken.metric)
        }
    }

    private func isSampled(_ rate: Double) -> Bool {
        rate >= 1 || (rate > 0 && Double.random(in: 0..<1) < rate)
    }
}

// MARK: - Events and service checks

extension MessageRecorder {
    func send(_ event: Event) {
        guard !event.title.isEmpty, event.timestamp.map({ $0 > 0 }) ?? true else { return queue.drop(.invalid) }
        submit(.event) { format.writeEvent(event, into: &$0) }
    }

    func send(_ check: ServiceCheck) {
        guard !check.name.isEmpty, check.timestamp.map({ $0 > 0 }) ?? true else { return queue.drop(.invalid) }
        submit(.serviceCheck) { format.writeServiceCheck(check, into: &$0) }
    }
}

// MARK: - Messages

extension MessageRecorder {
    private enum Outcome {
        case accepted
        /// The queue dropped and counted the message.
        case rejected
        /// The message does not fit into a datagram. It was not counted.
        case tooLarge
    }

    private func submit(_ kind: MessageKind, _ write: (inout ByteWriter) -> Void) {
        if submitIfItFits(kind, write) == .tooLarge { queue.drop(.tooLarge) }
    }

    /// Writes a message outside the queue's lock, usually on the stack, and appends it.
    private func submitIfItFits(
        _ kind: MessageKind,
        value: TakenValue? = nil,
        _ write: (inout ByteWriter) -> Void
    ) -> Outcome {
        // A larger temporary allocation would not be on the stack.
        let (size, outcome) = withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { memory in
            var writer = ByteWriter(memory)
            write(&writer)
            guard writer.count <= min(1024, queue.datagramSize) else { return (writer.count, nil as Outcome?) }
            return (writer.count, append(writer, kind, value))
        }
        if let outcome { return outcome }
        guard size <= queue.datagramSize else { return .tooLarge }
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { memory in
            var writer = ByteWriter(memory)
            write(&writer)
            // The caller's collection may contain other values when it is read again.
            guard writer.count <= size else { return .tooLarge }
            return append(writer, kind, value)
        }
    }

    private func append(_ writer: ByteWriter, _ kind: MessageKind, _ value: TakenValue?) -> Outcome {
        queue.append(writer.bytes, kind, value: value) ? .accepted : .rejected
    }
}
