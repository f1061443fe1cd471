import BurstPool

/// A pool's metrics as the Python package names them, each found once and kept: a lease must not pay for a look-up.
struct DatadogPoolMetrics: Sendable {
    private let total: DatadogPoolGauge
    private let available: DatadogPoolGauge
    private let waiting: DatadogPoolGauge
    private let used: DatadogPoolGauge
    private let acquiring: DatadogPoolGauge
    private let gotIdle: DatadogPoolCount
    private let gotNew: DatadogPoolCount
    private let waited: DatadogPoolCount

    init(client: DogStatsDClient, service: String, tags: [DogStatsDTag]) {
        func gauge(_ name: String) -> DatadogPoolGauge {
            DatadogPoolGauge(client: client, name: "\(service).pool.\(name)", tags: tags)
        }
        func count(_ method: String) -> DatadogPoolCount {
            DatadogPoolCount(
                client: client,
                name: "\(service).pool.getting_connection",
                tags: tags + [DogStatsDTag("method", method)]
            )
        }
        total = gauge("total_connections")
        available = gauge("available_connections")
        waiting = gauge("waiting")
        used = gauge("connections_used")
        acquiring = gauge("connections_acquiring")
        gotIdle = count("available")
        gotNew = count("new")
        waited = count("wait")
    }

    func count(_ acquisition: ConnectionAcquisition) {
        switch acquisition {
        case .idle: gotIdle.add(1)
        case .opened: gotNew.add(1)
        case .waited: waited.add(1)
        }
    }

    func countIdle(_ number: Int) {
        if number > 0 { gotIdle.add(number) }
    }

    /// - Parameter statistics: `nil`: the pool is gone.
    func set(_ statistics: ConnectionPoolStatistics?) {
        total.set(statistics?.total ?? 0)
        available.set(statistics?.idle ?? 0)
        // Of those who wait, one for each connection that is being opened does not wait for another's.
        waiting.set(statistics.map { max(0, $0.waiting - $0.connecting) } ?? 0)
        used.set(statistics?.inUse ?? 0)
        acquiring.set(statistics?.waiting ?? 0)
    }

    /// Whether a caller got no connection because none could be opened.
    static func isOfOpening(_ error: any Error) -> Bool {
        switch (error as? ConnectionPoolError)?.code {
        case .connectTimedOut, .circuitOpen: true
        case nil: !(error is CancellationError)
        default: false
        }
    }
}

struct DatadogPoolGauge: Sendable {
    let client: DogStatsDClient
    let name: String
    let tags: [DogStatsDTag]

    func set(_ value: Int) {
        client.gauge(name, Double(value), tags: tags)
    }
}

struct DatadogPoolCount: Sendable {
    private let client: DogStatsDClient
    private let name: String
    private let tags: [DogStatsDTag]
    /// `nil`: the client sends each value, or the name is none.
    private let kept: AggregatedMetric?

    init(client: DogStatsDClient, name: String, tags: [DogStatsDTag]) {
        self.client = client
        self.name = name
        self.tags = tags
        kept = client.recorder.aggregates ? client.recorder.aggregatedMetric(.count, name, tags: tags) : nil
    }

    func add(_ number: Int) {
        if let kept {
            client.recorder.record(kept) { $0.add(Int64(number)) }
        } else {
            client.count(name, number, tags: tags)
        }
    }
}
