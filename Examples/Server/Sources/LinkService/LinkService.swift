import BurstPool
import BurstPoolRedis
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
    let counts = RequestCounts()
    let sampler: PoolSampler

    /// Connects to nothing yet.
    ///
    /// - Throws: `ConnectionPoolError` or `RedisError`, if the settings make no sense.
    public init(settings: Settings, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let pool = try RedisPool(
            strategy: RedisConnectionStrategy(configuration: settings.redis),
            configuration: settings.pool
        )
        let redis = Redis(pool: pool, reachability: Reachability(logger: logger))
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
        let services: [any Service] = [
            PoolService(pool: redis.pool, drainFor: .seconds(1), logger: logger),
            RedisProbe(redis: redis),
            sampler,
            application,
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
        let requests = counts.snapshot
        logger.notice(
            "stopped",
            metadata: ["answered": "\(requests.answered)", "unanswered": "\(requests.active)"]
        )
    }

    /// The server has nowhere to listen.
    public struct CannotListen: Error, CustomStringConvertible {
        let address: String
        let cause: IOError

        public var description: String { "cannot listen on \(address): \(cause)" }
    }

    /// The HTTP server alone, without what ``run()`` puts around it.
    var application: some ApplicationProtocol {
        Application(
            router: router,
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(address: .hostname(settings.host, port: settings.port)),
            onServerRunning: { [logger] channel in
                guard let address = channel.localAddress, let port = address.port else { return }
                let host = address.ipAddress.map { $0.contains(":") ? "[\($0)]" : $0 } ?? "localhost"
                logger.notice("serving", metadata: ["url": "http://\(host):\(port)"])
            },
            logger: logger
        )
    }

    private var router: Router<ServiceContext> {
        let router = Router(context: ServiceContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestCountsMiddleware(counts: counts))
        router.add(middleware: ProblemMiddleware())
        HealthRoutes(redis: redis).add(to: router)
        MetricsRoute(pool: redis.pool, counts: counts).add(to: router)
        PoolPageRoutes(sampler: sampler).add(to: router)
        LinkRoutes(store: LinkStore(redis: redis), publicURL: settings.publicURL).add(to: router)
        return router
    }
}
