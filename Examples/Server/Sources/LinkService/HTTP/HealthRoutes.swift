// SPDX-License-Identifier: Apache-2.0

import BurstPool
import HTTPTypes
import Hummingbird
import ServiceLifecycle

/// `/health` reports whether the process is alive, and `/ready` whether it can answer requests.
struct HealthRoutes {
    /// All databases.
    let databases: [any LinkSource]
    /// The databases without which the service cannot answer requests.
    let required: [any LinkSource]

    /// How long a check of readiness may take. Longer than a request uses a connection, also while the database is busy.
    private static var timeout: Duration { .seconds(1) }

    private struct Health: ResponseEncodable {
        let status = "alive"
        let pools: [String: PoolState]
        /// What each pool has seen of its server: `healthy`, `failing`, `unresponsive`, `unknown` or `shutDown`.
        let health: [String: String]
    }

    private struct Readiness: Encodable {
        let ready: Bool
        /// The reasons why the service is not ready.
        let reasons: [String]
        let pools: [String: PoolState]
    }

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("health") { _, _ in
            Health(
                pools: states,
                health: Dictionary(uniqueKeysWithValues: databases.map { ($0.name, $0.pool.health.status.rawValue) })
            )
        }
        router.get("ready", use: ready)
    }

    private var states: [String: PoolState] {
        Dictionary(uniqueKeysWithValues: databases.map { ($0.name, PoolState($0.pool.statistics)) })
    }

    private func ready(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let reasons = await reasonsAgainst()
        let readiness = Readiness(ready: reasons.isEmpty, reasons: reasons, pools: states)
        var response = try context.responseEncoder.encode(readiness, from: request, context: context)
        response.status = reasons.isEmpty ? .ok : .serviceUnavailable
        response.headers[.cacheControl] = "no-store"
        return response
    }

    /// The service is ready if the database that stores the links works, through each pool that leads to it. The service works
    /// without a replica.
    ///
    /// A saturated pool whose connections come back is healthy, so that a load peak does not remove this instance from its
    /// load balancer.
    private func reasonsAgainst() async -> [String] {
        if Task.isShuttingDownGracefully { return ["The service is stopping."] }
        return await withTaskGroup(of: String?.self) { group in
            for database in required {
                group.addTask {
                    let health = await database.pool.checkHealth(timeout: Self.timeout)
                    return health.isHealthy ? nil : "Pool \"\(database.name)\": \(health)"
                }
            }
            var reasons: [String] = []
            for await reason in group { if let reason { reasons.append(reason) } }
            return reasons.sorted()
        }
    }
}
