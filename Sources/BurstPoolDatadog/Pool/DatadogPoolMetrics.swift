// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// The metrics of one pool, named as in the Python package. The metrics are looked up once, so that an acquire costs no lookup.
struct DatadogPoolMetrics: Sendable {
    private let total: DatadogPoolGauge
    private let available: DatadogPoolGauge
    private let waiting: DatadogPoolGauge
    private let used: DatadogPoolGauge
    private let acquiring: DatadogPoolGauge
    private let leasesUsed: DatadogPoolGauge
    private let leasesAvailable: DatadogPoolGauge
    private let foundIdle: DatadogPoolCount
    private let openedNew: DatadogPoolCount
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
        leasesUsed = gauge("leases_used")
        leasesAvailable = gauge("leases_available")
        foundIdle = count("available")
        openedNew = count("new")
        waited = count("wait")
    }

    func count(_ acquisition: ConnectionAcquisition) {
        switch acquisition {
        case .idle: foundIdle.add(1)
        case .opened: openedNew.add(1)
        case .waited: waited.add(1)
        @unknown default: waited.add(1)
        }
    }

    func countIdle(_ number: Int) {
        if number > 0 { foundIdle.add(number) }
    }

    /// Sets the gauges.
    ///
    /// - Parameter statistics: `nil` if the pool is gone.
    func set(_ statistics: ConnectionPoolStatistics?) {
        total.set(statistics?.total ?? 0)
        available.set(statistics?.idle ?? 0)
        // Each opening connection is meant for one of the waiting callers.
        waiting.set(statistics.map { max(0, $0.waiting - $0.opening) } ?? 0)
        used.set(statistics?.inUse ?? 0)
        acquiring.set(statistics?.waiting ?? 0)
    }

    /// Sets the gauges of leases, which only a shared pool has.
    ///
    /// - Parameter statistics: `nil` if the pool is gone.
    func setLeases(_ statistics: ConnectionPoolStatistics?) {
        leasesUsed.set(statistics?.leasesInUse ?? 0)
        leasesAvailable.set(statistics?.leasesIdle ?? 0)
    }

    /// Returns whether an acquire failed because no connection could be opened.
    static func isConnectError(_ error: any Error) -> Bool {
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
    /// `nil` if the client does not aggregate, or if the name is invalid.
    private let metric: AggregatedMetric?

    init(client: DogStatsDClient, name: String, tags: [DogStatsDTag]) {
        self.client = client
        self.name = name
        self.tags = tags
        metric = client.recorder.aggregates ? client.recorder.aggregatedMetric(.count, name, tags: tags) : nil
    }

    func add(_ number: Int) {
        if let metric {
            client.recorder.record(metric) { $0.add(Int64(number)) }
        } else {
            client.count(name, number, tags: tags)
        }
    }
}
