public import BurstPool
import BurstPoolSampling

/// Tells Datadog what happens in a pool, by the names that the Python package `asyncio-connection-pool` uses.
///
/// ```swift
/// let pool = try ConnectionPool(
///     strategy: strategy,
///     configuration: configuration,
///     datadog: DatadogConnectionPoolObserver(client: client, service: "orders", extraTags: ["region:eu"])
/// )
/// ```
///
/// One object serves one pool. Gauges are sent soon after something has happened, and every minute; they are 0 when the pool
/// is gone.
///
/// | metric | kind | what |
/// |---|---|---|
/// | `<service>.pool.total_connections` | gauge | all connections, those being opened and closed included |
/// | `<service>.pool.available_connections` | gauge | idle connections |
/// | `<service>.pool.connections_used` | gauge | connections in use |
/// | `<service>.pool.connections_acquiring` | gauge | callers that are suspended until they get a connection |
/// | `<service>.pool.waiting` | gauge | those of them for whom none is being opened |
/// | `<service>.pool.getting_connection` | count | callers, by `method`: `available`, one was idle; `new`, one was opened for it; `wait`, it waited for another one |
///
/// A caller that gets no connection counts as `new` if that was for an error in opening one, else as `wait`. One that would
/// have got a new connection, and is served by another that came back before it, counts as `wait`.
///
/// Events: `<service> pool using burst capacity` (warning), `<service> pool reached burst limit` (error) and `<service> pool
/// no longer bursting` (success). The second one once in a burst, and not at all if the pool has no burst limit.
public final class DatadogConnectionPoolObserver: ConnectionPoolObserver {
    /// Whether callers are counted that found a connection idle.
    public let countsIdleLeases: Bool

    private let client: DogStatsDClient
    private let service: String
    private let tags: [DogStatsDTag]
    private let metrics: DatadogPoolMetrics
    private let sampler: StatisticsSampler
    private let burst = BurstReports()
    private let idleLeases = IdleLeaseCount()

    /// - Parameters:
    ///   - client: The client that sends. It is not shut down by anything here.
    ///   - service: What the names of the metrics and the titles of the events start with.
    ///   - extraTags: Tags of all metrics and events, besides the client's. Default: none.
    ///   - countsIdleLeases: Whether to count callers that found a connection idle, as the Python package does. The pool counts
    ///     them, at a few instructions each, and the client sends what there is at each flush. Without, there is no count with
    ///     `method:available`. Default: `true`, as there.
    ///   - refreshInterval: How often gauges are sent if nothing happens. Default: 1 minute.
    ///   - minimumRefreshGap: How long to wait at the least before gauges are sent again, whatever happens. Default: 100
    ///     milliseconds.
    ///   - clock: Tells the time for the two. Default: `ContinuousClock`.
    public init(
        client: DogStatsDClient,
        service: String,
        extraTags: [DogStatsDTag] = [],
        countsIdleLeases: Bool = true,
        refreshInterval: Duration = .seconds(60),
        minimumRefreshGap: Duration = .milliseconds(100),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.client = client
        self.service = service
        tags = extraTags
        self.countsIdleLeases = countsIdleLeases
        metrics = DatadogPoolMetrics(client: client, service: service, tags: extraTags)
        sampler = StatisticsSampler(period: refreshInterval, minimumGap: minimumRefreshGap, clock: clock)
        if countsIdleLeases {
            client.recorder.addSource { [weak self] in
                guard let self else { return false }
                self.metrics.countIdle(self.idleLeases.takeNew())
                return true
            }
        }
    }

    /// Starts to send gauges. Needed only for a pool that was not made with
    /// ``BurstPool/ConnectionPool/init(strategy:configuration:datadog:)``. The pool is not kept alive by it.
    public func observe<Strategy>(_ pool: ConnectionPool<Strategy>) {
        burst.noteLimit(pool.statistics)
        if countsIdleLeases { idleLeases.start { [weak pool] in pool?.statistics.idleLeases } }
        sampler.start(pool) { [metrics, burst] statistics in
            metrics.set(statistics)
            if let statistics { burst.noteLimit(statistics) }
        }
    }

    /// Hands the gauges as they are now to the client. For the end, between the pool's shutdown and the client's: so the
    /// last thing that the agent hears of the pool is that it is empty.
    public func refresh() {
        sampler.refresh()
    }

    public func connectionPool(_ event: ConnectionPoolEvent) {
        switch event {
        case .acquired(let acquisition, _, _): metrics.count(acquisition)
        case .acquireFailed(let error, _, _): metrics.count(DatadogPoolMetrics.isOfOpening(error) ? .opened : .waited)
        case .burstBegan(_, let maxSize):
            let upTo = burst.limit.map { ", up to \($0)" } ?? ""
            sendEvent(
                "using burst capacity",
                "Pool max size of \(maxSize) will be exceeded temporarily\(upTo)",
                .warning
            )
        case .limitReached(let total):
            guard burst.mayReportLimit() else { break }
            sendEvent(
                "reached burst limit",
                "There are \(total) connections, as many as there may be: not enough to satisfy all users",
                .error
            )
        case .burstEnded(_, let maxSize):
            burst.end()
            sendEvent(
                "no longer bursting",
                "Number of connections has dropped to \(maxSize), which is the pool's max size, or below",
                .success
            )
        default: break
        }
        sampler.nudge()
    }

    private func sendEvent(_ what: String, _ text: String, _ type: DogStatsDAlertType) {
        client.event(title: "\(service) pool \(what)", text: text, alertType: type, tags: tags)
    }
}
