// SPDX-License-Identifier: Apache-2.0

public import Logging

/// The settings of a client: the agent's address, global tags, and limits.
///
/// ``DogStatsDClient/init(configuration:)`` throws ``DogStatsDError`` for invalid values. ``init(environment:)`` reads the
/// settings from environment variables.
public struct DogStatsDConfiguration: Sendable {
    /// The address of the agent. Default: ``DogStatsDAddress/standard``.
    public var address: DogStatsDAddress

    /// The prefix of all metric names. A `.` follows it unless it ends with one. Default: empty, no prefix.
    ///
    /// Titles of events and names of service checks have no prefix.
    public var prefix = ""

    /// Tags of every metric, event and service check. Default: none.
    public var globalTags: [DogStatsDTag] = []

    /// The container in which the client runs, so that the agent can add its tags (protocol 1.2). Default: `nil`, not sent.
    ///
    /// An agent on a unix socket detects the container by itself.
    public var containerID: String?

    /// The origin data that an admission controller passed to the process (protocol 1.5). Default: `nil`, not sent.
    public var externalData: String?

    /// The largest size of a datagram in bytes, from 64 to 65,507. Default: `nil`, which means 1,432 bytes over UDP, to fit
    /// into an Ethernet frame, and 8,192 bytes over a unix socket, the read buffer of an agent.
    public var maximumDatagramSize: Int?

    /// The largest number of full datagrams that wait to be sent. Further messages are dropped. At least 1. Default: 512.
    public var maximumQueuedDatagrams = 512

    /// The time between two flushes, which send everything that has been recorded. Counts are summed up over this time. More
    /// than zero. Default: 1 second. An agent sums up over 10 seconds.
    public var flushInterval: Duration = .seconds(1)

    /// Whether the client sums up counts, and keeps only the last value of a gauge, until the next flush. Default: `true`.
    ///
    /// This loses no information, because the agent does the same. It reduces traffic, and sample rates of counts are ignored.
    /// A count or a gauge that could not be sent is sent again at the next flush. Without aggregation it is lost.
    public var aggregatesCountsAndGauges = true

    /// Whether the client reports the number of messages, datagrams and bytes that it sent and dropped, as
    /// `datadog.dogstatsd.client.…` every 10 seconds and at its shutdown, like Datadog's own clients. Default: `true`.
    public var sendsTelemetry = true

    /// The logger; `nil` turns logging off. Default: a logger with the label `DogStatsD`.
    ///
    /// The client logs a warning if messages were dropped, at most once in ``logInterval``, and a warning at its creation if
    /// the agent's unix socket does not exist.
    public var logger: Logger? = Logger(label: "DogStatsD")

    /// The shortest time between two log lines about dropped messages. Default: 10 seconds.
    public var logInterval: Duration = .seconds(10)

    /// Measures the intervals. Default: `ContinuousClock`. Tests can pass a clock that they advance by hand.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// Creates a configuration with an address and default values.
    public init(address: DogStatsDAddress = .standard) {
        self.address = address
    }
}

extension DogStatsDConfiguration {
    /// The largest size of a datagram in bytes.
    var datagramSize: Int {
        switch address {
        case .udp: maximumDatagramSize ?? 1432
        case .unixSocket: maximumDatagramSize ?? 8192
        }
    }

    /// - Throws: ``DogStatsDError``, which names the value.
    func validate() throws(DogStatsDError) {
        try address.validate()
        // A UDP datagram over IPv4 holds at most 65,507 bytes of data.
        guard (64...65_507).contains(datagramSize) else {
            throw .invalidConfiguration("maximumDatagramSize is \(datagramSize), but must be from 64 to 65,507.")
        }
        guard maximumQueuedDatagrams >= 1 else {
            throw .invalidConfiguration(
                "maximumQueuedDatagrams is \(maximumQueuedDatagrams), but must be at least 1."
            )
        }
        guard flushInterval > .zero else {
            throw .invalidConfiguration("flushInterval is \(flushInterval), but must be more than zero.")
        }
        guard prefix.isEmpty || MetricName.sanitized(prefix) != nil else {
            throw .invalidConfiguration("The prefix '\(prefix)' has no letter with which a metric name could start.")
        }
    }
}
