/// Where the agent is, what is added to everything that is sent to it, and how much may wait.
///
/// A value to be filled in and given to ``DogStatsDClient/init(configuration:)``, which refuses what makes no sense with
/// ``DogStatsDError``. From the environment: ``init(environment:)``.
public struct DogStatsDConfiguration: Sendable {
    /// Where the agent listens. Default: ``DogStatsDAddress/standard``.
    public var address: DogStatsDAddress

    /// What the name of every metric starts with, and a `.` unless it ends with one. Default: empty, nothing.
    ///
    /// Titles of events and names of service checks do not get it.
    public var prefix = ""

    /// Tags of every metric, event and service check, after its own. Default: none.
    public var globalTags: [DogStatsDTag] = []

    /// The container that the client runs in, for the agent to add its tags (protocol 1.2). Default: `nil`, not sent.
    ///
    /// Over a unix socket the agent finds out by itself.
    public var containerID: String?

    /// What an admission controller gave the process for the agent to know its origin (protocol 1.5). Default: `nil`,
    /// not sent.
    public var externalData: String?

    /// How many bytes a datagram may have, from 64 to 65,507. Default: `nil`, which means 1,432 over UDP, so that it fits
    /// into an Ethernet frame, and 8,192 over a unix socket, which is what an agent reads at once.
    public var maximumDatagramSize: Int?

    /// How many full datagrams may wait to be sent. What comes when as many wait is dropped. At least 1. Default: 512.
    public var maximumQueuedDatagrams = 512

    /// The time after which everything is sent that has been recorded, also in a datagram that is not full; and over which
    /// counts are added up. More than zero. Default: 1 second, where an agent adds up over 10.
    public var flushInterval: Duration = .seconds(1)

    /// Whether counts are added up, and of a gauge's values the last is taken, until the next flush, each for its name and
    /// tags. Default: `true`.
    ///
    /// Nothing is lost by it, since an agent does the same, and what it saves grows with the traffic. It makes sample rates
    /// of counts needless: they are ignored.
    public var aggregatesCountsAndGauges = true

    /// Whether the client counts, every 10 seconds, what it has sent and dropped, as `datadog.dogstatsd.client.…`, as
    /// Datadog's own clients do. Default: `true`.
    public var sendsTelemetry = true

    /// Tells the time for ``flushInterval``. Default: `ContinuousClock`. Tests can give a clock that they set themselves.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// An agent at an address; all else as by default.
    public init(address: DogStatsDAddress = .standard) {
        self.address = address
    }
}

extension DogStatsDConfiguration {
    /// How many bytes a datagram may have: what was asked for, or what suits the address.
    var datagramSize: Int {
        switch address {
        case .udp: maximumDatagramSize ?? 1432
        case .unixSocket: maximumDatagramSize ?? 8192
        }
    }

    /// - Throws: ``DogStatsDError``, naming the value.
    func validate() throws(DogStatsDError) {
        try address.validate()
        // 65,507 is what IPv4 leaves of 65,535 bytes for the data of a UDP datagram.
        guard (64...65_507).contains(datagramSize) else {
            throw .invalidConfiguration("maximumDatagramSize is \(datagramSize), not from 64 to 65,507")
        }
        guard maximumQueuedDatagrams >= 1 else {
            throw .invalidConfiguration(
                "maximumQueuedDatagrams is \(maximumQueuedDatagrams), but none could ever be sent"
            )
        }
        guard flushInterval > .zero else {
            throw .invalidConfiguration("flushInterval is \(flushInterval), which is not above zero")
        }
        guard prefix.isEmpty || MetricName.sanitized(prefix) != nil else {
            throw .invalidConfiguration("the prefix '\(prefix)' has no letter that a metric's name could start with")
        }
    }
}
