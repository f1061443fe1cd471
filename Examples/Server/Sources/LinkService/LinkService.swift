// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// The service: its parts, and the order in which they start and stop.
///
/// `Strategy` opens the connections to the database that stores the links, Redis or PostgreSQL.
struct LinkService<Strategy: ConnectionStrategy>: Sendable where Strategy.Connection: LinkConnection {
    let settings: Settings
    let logger: Logger
    /// The database that stores the links.
    let database: Database<ConnectionPool<Strategy>>
    /// Where links are read: the first one that has the link answers.
    let readers: [any LinkSource]
    let pools: ServicePools
    let counts = RequestCounts()
    let metrics: ScrapedMetrics
    let sampler: PoolSampler

    /// Creates the service without connecting to the database.
    ///
    /// - Parameters:
    ///   - database: The database that stores the links.
    ///   - readers: Where links are read, one or more databases. The last one is asked if the others fail or do not have a link.
    ///   - pools: All pools, which `database` and `readers` use.
    ///   - settings: The other settings.
    ///   - metrics: The metrics at `/metrics`, which must be a backend of swift-metrics.
    init(
        on database: Database<ConnectionPool<Strategy>>,
        readers: [any LinkSource],
        pools: ServicePools,
        settings: Settings,
        metrics: ScrapedMetrics,
        logger: Logger
    ) {
        self.database = database
        self.readers = readers
        self.pools = pools
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        sampler = PoolSampler(databases: pools.databases) { [counts] in counts.snapshot }
    }

    /// The databases without which the service cannot answer requests: all except replicas.
    private var required: [any LinkSource] {
        pools.databases.filter { $0.name == database.name || $0.name == readers.last?.name }
    }

    /// Serves until SIGTERM or SIGINT.
    ///
    /// Then the server accepts no more connections and completes the requests that it has accepted, and the pools are shut
    /// down after it. Requests that exceed ``Settings/shutdownDeadline`` are cancelled.
    ///
    /// - Throws: ``CannotListen`` if the port is in use or the address does not belong to this machine.
    func run() async throws {
        // A group stops its services in reverse order, so the pools stop after everything that uses them.
        let services = pools.services + [DatabaseProbe(databases: pools.databases), sampler, application()]
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
        for observation in pools.observations { observation.refreshGauges() }
        let requests = counts.snapshot
        logger.notice(
            "stopped",
            metadata: [
                "answered": "\(requests.answered)", "unanswered": "\(requests.active)",
                "connections": "\(pools.databases.reduce(0) { $0 + $1.pool.statistics.total })",
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
        HealthRoutes(databases: pools.databases, required: required).add(to: router)
        MetricsRoute(metrics: metrics).add(to: router)
        PoolPageRoutes(sampler: sampler).add(to: router)
        if let recorder = pools.observations.first?.recorder { WorkloadRoute(recorder: recorder).add(to: router) }
        let store = LinkStore(database: database, readers: readers)
        LinkRoutes(store: store, publicURL: settings.publicURL).add(to: router)
        return router
    }
}
