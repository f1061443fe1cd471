import Synchronization

/// Turns what is recorded into messages, and puts them into the queue: everything between the client's methods and the task
/// that sends.
final class MessageRecorder: Sendable {
    let format: MessageFormat
    let queue: DatagramQueue
    let aggregated = AggregatedMetrics()
    let aggregates: Bool
    private let telemetry: Telemetry?
    private let isClosed = Atomic(false)
    private let sources = Mutex<[@Sendable () -> Bool]>([])

    init(_ configuration: DogStatsDConfiguration) {
        format = MessageFormat(configuration)
        queue = DatagramQueue(
            datagramSize: configuration.datagramSize,
            limit: configuration.maximumQueuedDatagrams
        )
        aggregates = configuration.aggregatesCountsAndGauges
        telemetry = configuration.sendsTelemetry ? Telemetry(configuration) : nil
    }

    /// Has something recorded before each flush that is counted elsewhere.
    ///
    /// - Parameter source: Records it. Returns `false` when there will be nothing any more. Must not keep the client alive, nor add a source.
    func addSource(_ source: @escaping @Sendable () -> Bool) {
        sources.withLock { $0.append(source) }
    }

    /// Sends what has been put together since the last time.
    func collect() {
        askSources()
        sendCollected()
    }

    private func askSources() {
        // Under the lock: who flushes at the same time must find recorded what there was before.
        sources.withLock { sources in sources.removeAll { !$0() } }
    }

    private func sendCollected() {
        for metric in aggregated.takeListed() { sendValue(of: metric) }
    }

    /// Takes no more, and has sent what there is.
    func close() {
        // While it is still taken.
        askSources()
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        sendCollected()
        queue.close()
    }

    func sendTelemetryIfDue() {
        guard let telemetry else { return }
        for (name, value) in telemetry.due(queue.statistics) {
            submit(.metric) { writer in
                telemetry.format.writeMetric(named: name, type: .count, tags: telemetry.tags, into: &writer) {
                    $0.write(Int64(value))
                }
            }
        }
    }
}

// MARK: - Metrics

extension MessageRecorder {
    /// Sends a metric as a message of its own.
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

    /// Sends values of a metric with a `:` between them, in as many messages as it takes for each to fit into a datagram.
    func sendValues(
        _ values: some Collection<Double>,
        _ name: String,
        _ type: MetricType,
        tags: [DogStatsDTag],
        sampleRate: Double
    ) {
        guard !values.isEmpty, isSampled(sampleRate) else { return }
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
        let fits = submitIfItFits(.metric) { writer in
            format.writeMetric(named: name, type: type, tags: tags, sampleRate: sampleRate, into: &writer) { writer in
                var isFirst = true
                for value in values {
                    if !isFirst { writer.write(UInt8(ascii: ":")) }
                    writer.write(value)
                    isFirst = false
                }
            }
        }
        if fits { return }
        guard values.count > 1 else { return queue.drop(.tooLarge) }
        let half = values.count / 2
        sendPart(values.prefix(half), named: name, type, tags: tags, sampleRate: sampleRate)
        sendPart(values.dropFirst(half), named: name, type, tags: tags, sampleRate: sampleRate)
    }

    /// The metric that is put together until the next flush for a name and tags; `nil` if nothing is left of the name.
    func aggregatedMetric(_ kind: AggregatedMetric.Kind, _ name: String, tags: [DogStatsDTag]) -> AggregatedMetric? {
        format.name(name).map { aggregated.metric(kind, name: $0, tags: tags) }
    }

    /// Records a value of a metric that is put together until the next flush.
    ///
    /// - Parameters:
    ///   - metric: `nil`: what it would have been called is no name.
    ///   - change: Adds the value, or sets it.
    func record(_ metric: AggregatedMetric?, _ change: (AggregatedMetric) -> Void) {
        guard let metric else { return queue.drop(.invalid) }
        guard !isClosed.load(ordering: .relaxed) else { return queue.drop(.shutDown) }
        change(metric)
        guard aggregates, aggregated.list(metric) else { return sendValue(of: metric) }
    }

    private func sendValue(of metric: AggregatedMetric) {
        guard let value = metric.takeValue() else { return }
        submit(.metric) { writer in
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
    private func submit(_ kind: MessageKind, _ write: (inout ByteWriter) -> Void) {
        if !submitIfItFits(kind, write) { queue.drop(.tooLarge) }
    }

    /// Writes a message outside of the queue's lock, mostly on the stack, and appends it.
    ///
    /// - Returns: `false` if no datagram has room for it.
    private func submitIfItFits(_ kind: MessageKind, _ write: (inout ByteWriter) -> Void) -> Bool {
        // What is larger would not be on the stack.
        let size = withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { memory in
            var writer = ByteWriter(memory)
            write(&writer)
            if writer.count <= min(1024, queue.datagramSize) { queue.append(writer.bytes, kind) }
            return writer.count
        }
        guard size <= queue.datagramSize else { return false }
        if size <= 1024 { return true }
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { memory in
            var writer = ByteWriter(memory)
            write(&writer)
            // A collection of the caller's may have other values the second time.
            guard writer.count <= size else { return false }
            queue.append(writer.bytes, kind)
            return true
        }
    }
}
