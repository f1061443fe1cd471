import Synchronization

/// What the client says about itself, under the names that Datadog's own clients use.
final class Telemetry: Sendable {
    /// As often as Datadog's own clients.
    static let interval = Duration.seconds(10)

    let format: MessageFormat
    let tags: [DogStatsDTag]

    private struct State {
        var reportedAt = Duration.zero
        var reported = DogStatsDStatistics()
    }

    private let elapsed: @Sendable () -> Duration
    private let state = Mutex(State())

    init(_ configuration: DogStatsDConfiguration) {
        var configuration = configuration
        configuration.prefix = ""
        format = MessageFormat(configuration)
        let transport = if case .udp = configuration.address { "udp" } else { "uds" }
        tags = [DogStatsDTag("client", "swift-burst-pool"), DogStatsDTag("client_transport", transport)]
        elapsed = stopwatch(configuration.clock)
    }

    /// What has been added since the last report, if it is time for another; empty if not.
    func due(_ statistics: DogStatsDStatistics) -> [(name: String, value: Int)] {
        state.withLock { state in
            let now = elapsed()
            guard now - state.reportedAt >= Self.interval else { return [] }
            state.reportedAt = now
            defer { state.reported = statistics }
            let before = state.reported.telemetry
            // What was sent may turn out to be lost: such a step back is not reported, nor made good for.
            return zip(statistics.telemetry, before)
                .map { (name: "datadog.dogstatsd.client.\($0.name)", value: $0.value - $1.value) }
                .filter { $0.value > 0 }
        }
    }
}

extension DogStatsDStatistics {
    fileprivate var telemetry: [(name: String, value: Int)] {
        [
            ("metrics", metrics),
            ("events", events),
            ("service_checks", serviceChecks),
            ("packets_sent", datagramsSent),
            ("bytes_sent", bytesSent),
            ("packets_dropped", datagramsDropped),
            ("packets_dropped_writer", datagramsDropped),
            ("bytes_dropped", bytesDropped),
            ("bytes_dropped_writer", bytesDropped),
        ]
    }
}
