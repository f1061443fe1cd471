// SPDX-License-Identifier: Apache-2.0

/// The result of a run. In JSON, times are in seconds.
struct Summary: Codable {
    struct Settings: Codable {
        var server: String
        var tasks: Int
        var seconds: Double
        var maxSize: Int
        var burstLimit: Int
        var chaos: Bool
        var seed: UInt64
    }

    struct Quantiles: Codable {
        var p50: Double
        var p99: Double
        var p999: Double
        var max: Double

        init(_ histogram: LatencyHistogram) {
            p50 = histogram.quantile(0.5).inSeconds
            p99 = histogram.quantile(0.99).inSeconds
            p999 = histogram.quantile(0.999).inSeconds
            max = histogram.maximum.inSeconds
        }
    }

    struct Latency: Codable {
        var requests: Int
        var acquire: Quantiles
        var request: Quantiles
        /// The number of acquires that took more than a millisecond.
        var waitsOverOneMillisecond: Int

        init(_ latencies: Tally.Latencies) {
            requests = latencies.acquire.count
            acquire = Quantiles(latencies.acquire)
            request = Quantiles(latencies.request)
            waitsOverOneMillisecond = latencies.acquire.count(above: .milliseconds(1))
        }
    }

    struct Connections: Codable {
        var opened: Int
        var closed: Int
        var failedToOpen: Int
        /// The number of connections that the server had closed and that were found before a lease.
        var foundDead: Int
        var killed: Int
        var peakTotal: Int
    }

    var settings: Settings
    /// The reason why the load ended early, if it did.
    var endedEarly: String?
    /// The duration of the load.
    var seconds: Double
    var commands: Int
    var commandsPerSecond: Double
    /// The numbers of errors by kind. Expected errors are consequences of killed connections.
    var expectedErrors: [String: Int]
    var unexpectedErrors: [String: Int]
    var wrongReplies: [String]
    /// The number of requests that the demo cancelled.
    var cancelled: Int
    var all: Latency
    var phases: [String: Latency]
    var connections: Connections
    var secondsBursting: Double
    var peakWaiting: Int
    var totalAfterShutdown: Int
    var timeline: String
    var checks: [Check]

    var hasPassed: Bool { checks.allSatisfy(\.passed) }
}
