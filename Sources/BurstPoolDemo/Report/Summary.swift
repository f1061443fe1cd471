/// What came of a run. In JSON, times are in seconds.
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
        /// How many acquires took more than a millisecond.
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
        /// Closed by the server, and noticed before they were handed out.
        var foundDead: Int
        var killed: Int
        var peakTotal: Int
    }

    var settings: Settings
    /// Why the load ended before its time, if it did.
    var endedEarly: String?
    /// How long the load lasted.
    var seconds: Double
    var commands: Int
    var commandsPerSecond: Double
    /// By kind: those that killing connections explains, and those that nothing does.
    var expectedErrors: [String: Int]
    var unexpectedErrors: [String: Int]
    var wrongReplies: [String]
    /// Requests that were cancelled on purpose.
    var cancelled: Int
    var all: Latency
    var phases: [String: Latency]
    var connections: Connections
    var secondsBursting: Double
    var peakWaiting: Int
    var totalAfterShutdown: Int
    var timeline: String
    var checks: [Check]

    var isRight: Bool { checks.allSatisfy(\.passed) }
}
