// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolDatadog
import BurstPoolServiceLifecycle
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// The service: its parts, and the order in which they start and stop.
///
/// `Strategy` opens the connections to the database, Redis or PostgreSQL. It is a parameter of everything that uses the
/// pools, so that all of this is written once.
struct LinkService<Strategy: ConnectionStrategy>: Sendable where Strategy.Connection: LinkConnection {
    let settings: Settings
    let logger: Logger
    /// The database that stores the links.
    let database: Database<Strategy>
    /// The replica from which links are read, if there is one.
    let replica: Database<Strategy>?
    private let pools: [ObservedPool<Strategy>]
    let counts = RequestCounts()
    let metrics: ScrapedMetrics
    let sampler: PoolSampler<Strategy>

    /// Creates the service without connecting to the database.
    ///
    /// - Parameters:
    ///   - strategy: Opens connections to the database that stores the links.
    ///   - replica: Opens connections to a replica of it. `nil` if there is none.
    ///   - settings: The other settings.
    ///   - metrics: The metrics at `/metrics`, which must be a backend of swift-metrics.
    ///   - datadog: Sends metrics to Datadog. The service does not shut it down. `nil` if there is no agent.
    /// - Throws: `ConnectionPoolError` if the settings are invalid.
    init(
        on strategy: Strategy,
        replica: Strategy?,
        settings: Settings,
        metrics: ScrapedMetrics,
        datadog: DogStatsDClient?,
        logger: Logger
    ) throws {
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        func pool(_ name: String, _ strategy: Strategy) throws -> ObservedPool<Strategy> {
            try ObservedPool(name: name, strategy, settings.pool, datadog: datadog, logger: logger)
        }
        func database(_ observed: ObservedPool<Strategy>) -> Database<Strategy> {
            var logger = logger
            logger[metadataKey: "pool.name"] = "\(observed.name)"
            let reachability = Reachability(system: Strategy.Connection.system, logger: logger)
            return Database(name: observed.name, pool: observed.pool, reachability: reachability)
        }
        let name = settings.pool.name
        pools = try [pool(name, strategy)] + (replica.map { [try pool("\(name)-replica", $0)] } ?? [])
        let databases = pools.map(database)
        self.database = databases[0]
        self.replica = databases.dropFirst().first
        sampler = PoolSampler(databases: databases) { [counts] in counts.snapshot }
    }

    private var databases: [Database<Strategy>] { [database] + (replica.map { [$0] } ?? []) }

    /// Serves until SIGTERM or SIGINT.
    ///
    /// Then the server accepts no more connections and completes the requests that it has accepted, and the pools are shut
    /// down after it. Requests that exceed ``Settings/shutdownDeadline`` are cancelled.
    ///
    /// - Throws: ``CannotListen`` if the port is in use or the address does not belong to this machine.
    func run() async throws {
        var lifecycle = ConnectionPoolServiceConfiguration()
        // Without the database the service starts as well, and reports that it is not ready.
        lifecycle.waitsUntilHealthy = false
        // When the server has ended, only a probe can still use a connection.
        lifecycle.drainTimeout = .seconds(1)
        lifecycle.abortTimeout = .seconds(1)
        // A group stops its services in reverse order, so the pools stop after everything that uses them.
        let services: [any Service] =
            pools.map { ConnectionPoolService(pool: $0.pool, configuration: lifecycle) } + [
                DatabaseProbe(databases: databases), sampler, application(),
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
            // Connections handle their own errors, so this error is about the listening socket.
            throw CannotListen(address: "\(settings.host):\(settings.port)", cause: error)
        }
        for pool in pools { pool.refreshGauges() }
        let requests = counts.snapshot
        logger.notice(
            "stopped",
            metadata: [
                "answered": "\(requests.answered)", "unanswered": "\(requests.active)",
                "connections": "\(pools.reduce(0) { $0 + $1.pool.statistics.total })",
            ]
        )
    }

    /// The HTTP server alone, without the other services of ``run()``.
    ///
    /// - Parameter serves: Receives the port when the server accepts requests.
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
        router.add(middleware: RequestMeasurements(counts: counts))
        router.add(middleware: ProblemMiddleware())
        HealthRoutes(databases: databases).add(to: router)
        MetricsRoute(metrics: metrics).add(to: router)
        PoolPageRoutes(sampler: sampler).add(to: router)
        WorkloadRoute(recorder: pools[0].recorder).add(to: router)
        let store = LinkStore(database: database, replica: replica)
        LinkRoutes(store: store, publicURL: settings.publicURL).add(to: router)
        return router
    }
}
