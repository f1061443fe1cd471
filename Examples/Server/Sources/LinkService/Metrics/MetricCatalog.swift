// SPDX-License-Identifier: Apache-2.0

/// The names and descriptions of the metrics at `/metrics`.
enum MetricCatalog {
    struct Entry {
        /// The name in Prometheus, without the suffix for the type; `nil` if it follows from the label.
        var name: String?
        let help: String
    }

    static func entry(_ label: String) -> Entry {
        entries[label] ?? Entry(help: "The swift-metrics metric \(label).")
    }

    private static let entries = [
        // Prometheus reserves the suffix `_count` for histograms.
        "db.client.connection.count": Entry(
            name: "db_client_connections",
            help: "The number of open connections by state."
        ),
        "db.client.connection.lease.count": Entry(
            name: "db_client_connection_leases",
            help: "The number of leases by state, of a pool whose connections are shared."
        ),
        "db.client.connection.max": Entry(help: "The hard limit: the largest number of connections."),
        "db.client.connection.idle.max": Entry(help: "The soft limit: the number of connections that the pool keeps."),
        "db.client.connection.idle.min": Entry(help: "The number of idle connections that the pool keeps ready."),
        "db.client.connection.pending_requests": Entry(help: "The number of callers that wait for a connection."),
        "db.client.connection.timeouts": Entry(help: "The number of acquires that timed out."),
        "db.client.connection.create_time": Entry(help: "How long it took to open a connection."),
        "db.client.connection.wait_time": Entry(help: "How long successful acquires waited for a connection."),
        "db.client.connection.use_time": Entry(help: "How long connections were leased."),
        "db.client.operation.duration": Entry(help: "How long statements took, by operation and error."),
        "http.server.request.duration": Entry(help: "How long it took to answer a request."),
        "http.server.active_requests": Entry(help: "The number of requests in progress."),
    ]
}
