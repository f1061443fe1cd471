import BurstPool
import BurstPoolDatadog
import BurstPoolRedis
import BurstPoolServiceLifecycle
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// The service: what it consists of, and in which order it starts and stops.
public struct LinkService: Sendable {
    let settings: Settings
    let logger: Logger
    let redis: Redis
    private let observedPool: ObservedPool
    let counts = RequestCounts()
    let metrics: ScrapedMetrics
    let sampler: PoolSampler

    /// Connects to nothing yet.
    ///
    /// - Parameters:
    ///   - metrics: What `/metrics` tells: to be the backend of swift-metrics, or one of several.
    ///   - datadog: Is told of the pool, and is not shut down by the service. `nil`: nobody listens.
    /// - Throws: `ConnectionPoolError` or `RedisError`, if the settings make no sense.
    public init(
        settings: Settings,
        metrics: ScrapedMetrics,
        datadog: DogStatsDClient? = nil,
        logger: Logger
    ) throws {
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        observedPool = try ObservedPool(settings, datadog: datadog, logger: logger)
        let redis = Redis(pool: observedPool.pool, reachability: Reachability(logger: logger))
        self.redis = redis
        sampler = PoolSampler { [counts] in
            PoolSampler.Reading(
                statistics: redis.pool.statistics,
                requests: counts.snapshot,
                redisAnswers: redis.reachability.isReachable
            )
        }
    }

    /// Serves until SIGTERM or SIGINT.
    ///
    /// Then the server accepts nothing more and finishes the requests that it has accepted; the pool is shut down behind it.
    /// Requests that take longer than the settings allow are cancelled.
    ///
    /// - Throws: ``CannotListen``, if the port is taken or the address is none of this machine's.
    public func run() async throws {
        var ofPool = ConnectionPoolServiceConfiguration()
        // Without Redis the service lives, and says that it is not ready.
        ofPool.waitsUntilHealthy = false
        // What is still in use when the server has ended is a probe's.
        ofPool.drainTimeout = .seconds(1)
        ofPool.abortTimeout = .seconds(1)
        // A group ends its services from the last to the first: the pool when all that use it have ended.
        let services: [any Service] = [
            ConnectionPoolService(pool: redis.pool, configuration: ofPool),
            RedisProbe(redis: redis),
            sampler,
            application(),
        ]
        var configuration = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = settings.shutdownDeadline
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as IOError {
            // Connections handle their own errors: what gets here is of the socket that listens.
            throw CannotListen(address: "\(settings.host):\(settings.port)", cause: error)
        }
        observedPool.refreshGauges()
        let requests = counts.snapshot
        logger.notice(
            "stopped",
            metadata: [
                "answered": "\(requests.answered)", "unanswered": "\(requests.active)",
                "connections": "\(redis.pool.statistics.total)",
            ]
        )
    }

    /// The server has nowhere to listen.
    public struct CannotListen: Error, CustomStringConvertible {
        let address: String
        let cause: IOError

        public var description: String { "cannot listen on \(address): \(cause)" }
    }

    /// The HTTP server alone, without what ``run()`` puts around it.
    ///
    /// - Parameter serves: Is told the port when requests are accepted.
    func application(whenItServes serves: @escaping @Sendable (Int) -> Void = { _ in }) -> some ApplicationProtocol {
        Application(
            router: router,
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(address: .hostname(settings.host, port: settings.port)),
            onServerRunning: { [logger] channel in
                guard let address = channel.localAddress, let port = address.port else { return }
                let host = address.ipAddress.map { $0.contains(":") ? "[\($0)]" : $0 } ?? "localhost"
                logger.notice("serving", metadata: ["url": "http://\(host):\(port)"])
                serves(port)
            },
            logger: logger
        )
    }

    private var router: Router<ServiceContext> {
        let router = Router(context: ServiceContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestCountsMiddleware(counts: counts))
        router.add(middleware: MetricsMiddleware())
        router.add(middleware: ProblemMiddleware())
        HealthRoutes(redis: redis).add(to: router)
        MetricsRoute(metrics: metrics).add(to: router)
        PoolPageRoutes(sampler: sampler).add(to: router)
        LinkRoutes(store: LinkStore(redis: redis), publicURL: settings.publicURL).add(to: router)
        return router
    }
}
