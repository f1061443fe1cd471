// SPDX-License-Identifier: Apache-2.0

import BurstPoolSampling
import Synchronization

/// Reports the client's own numbers under the names that Datadog's clients use.
///
/// The reports are aggregated counts, so that a report that could not be sent is part of the next one.
final class Telemetry: Sendable {
    /// The interval of Datadog's own clients.
    static let interval = Duration.seconds(10)

    private struct State {
        var reportedAt = Duration.zero
        /// For each count, the part of the statistics that has been reported.
        var reported: [Int]
    }

    private let counts: [AggregatedMetric]
    private let stopwatch: Stopwatch
    private let state: Mutex<State>

    init(_ configuration: DogStatsDConfiguration) {
        let transport = if case .udp = configuration.address { "udp" } else { "uds" }
        let tags = [DogStatsDTag("client", "swift-burst-pool"), DogStatsDTag("client_transport", transport)]
        counts = DogStatsDStatistics().telemetry.map { count in
            AggregatedMetric(kind: .count, name: "datadog.dogstatsd.client.\(count.name)", tags: tags)
        }
        stopwatch = Stopwatch(configuration.clock)
        state = Mutex(State(reported: counts.map { _ in 0 }))
    }

    /// Adds the increments since the last report, if a report is due, and returns the counts that changed.
    ///
    /// - Parameter isLast: Whether the client is closing, so that a report is due in any case.
    func update(_ statistics: DogStatsDStatistics, isLast: Bool) -> [AggregatedMetric] {
        state.withLock { state in
            let now = stopwatch.elapsed
            guard isLast || now - state.reportedAt >= Self.interval else { return [] }
            state.reportedAt = now
            var changed: [AggregatedMetric] = []
            for (index, count) in statistics.telemetry.enumerated() {
                // A number decreases if sent datagrams turn out to be lost. It is reported again once it exceeds the part that
                // has been reported, so that the reports add up to the final number.
                let increment = count.value - state.reported[index]
                guard increment > 0 else { continue }
                state.reported[index] = count.value
                counts[index].add(Int64(increment))
                changed.append(counts[index])
            }
            return changed
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
