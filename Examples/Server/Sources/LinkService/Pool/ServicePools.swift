// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolDatadog
import BurstPoolServiceLifecycle
import Logging
import ServiceLifecycle

/// The pools of the service, in the order in which the page shows them.
struct ServicePools: Sendable {
    private(set) var databases: [any LinkSource] = []
    private(set) var observations: [PoolObservation] = []
    /// One service for each pool, which shuts the pool down.
    private(set) var services: [any Service] = []

    private let configuration: ConnectionPoolConfiguration
    private let datadog: DogStatsDClient?
    private let logger: Logger

    /// - Parameters:
    ///   - configuration: The settings of each pool, except its name.
    ///   - datadog: Sends metrics to Datadog; `nil` if there is no agent.
    init(_ configuration: ConnectionPoolConfiguration, datadog: DogStatsDClient?, logger: Logger) {
        self.configuration = configuration
        self.datadog = datadog
        self.logger = logger
    }

    /// Adds a pool whose connections belong to one request at a time.
    ///
    /// - Parameter name: The name of the pool in metrics, in logs and on the page.
    /// - Throws: `ConnectionPoolError` if the settings are invalid.
    mutating func add<Strategy: ConnectionStrategy>(
        _ name: String,
        _ strategy: Strategy
    ) throws -> Database<ConnectionPool<Strategy>> where Strategy.Connection: LinkReader {
        var observation = PoolObservation(name: name, datadog: datadog, logger: logger)
        let pool = try observation.makePool(strategy, configuration)
        services.append(ConnectionPoolService(pool: pool, configuration: Self.lifecycle))
        return add(pool, observation, reachability(name, Strategy.Connection.system))
    }

    /// Adds a pool whose connections are shared by several requests.
    ///
    /// - Parameters:
    ///   - name: The name of the pool in metrics, in logs and on the page.
    ///   - reachability: That of another pool that leads to the same server; `nil` if there is no other.
    /// - Throws: `ConnectionPoolError` if the settings are invalid.
    mutating func addShared<Strategy: SharedConnectionStrategy>(
        _ name: String,
        _ strategy: Strategy,
        reachability: Reachability? = nil
    ) throws -> Database<SharedConnectionPool<Strategy>> where Strategy.Connection: LinkReader {
        let observation = PoolObservation(name: name, datadog: datadog, logger: logger)
        let pool = try observation.makeSharedPool(strategy, configuration)
        services.append(SharedConnectionPoolService(pool: pool, configuration: Self.lifecycle))
        return add(pool, observation, reachability ?? self.reachability(name, Strategy.Connection.system))
    }

    private mutating func add<Pool: DatabasePool>(
        _ pool: Pool,
        _ observation: PoolObservation,
        _ reachability: Reachability
    ) -> Database<Pool> {
        let database = Database(name: observation.name, pool: pool, reachability: reachability)
        databases.append(database)
        observations.append(observation)
        return database
    }

    private func reachability(_ name: String, _ system: String) -> Reachability {
        var logger = logger
        logger[metadataKey: "pool.name"] = "\(name)"
        return Reachability(system: system, logger: logger)
    }

    private static var lifecycle: ConnectionPoolServiceConfiguration {
        var lifecycle = ConnectionPoolServiceConfiguration()
        // Without the database the service starts as well, and reports that it is not ready.
        lifecycle.waitsUntilHealthy = false
        // When the server has ended, only a probe can still use a connection.
        lifecycle.drainTimeout = .seconds(1)
        lifecycle.abortTimeout = .seconds(1)
        return lifecycle
    }
}
