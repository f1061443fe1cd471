import BurstPool
import BurstPoolRedis
import HTTPTypes
import Hummingbird
import ServiceLifecycle

/// `/health` reports whether the process is alive, and `/ready` whether it can answer requests.
struct HealthRoutes {
    /// The server that stores the links first, then its replica.
    let servers: [Redis]

    private struct Health: ResponseEncodable {
        let status = "alive"
        let pools: [String: PoolState]
    }

    private struct Readiness: Encodable {
        let ready: Bool
        /// The reasons why the service is not ready.
        let reasons: [String]
        let pools: [String: PoolState]
    }

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("health") { _, _ in Health(pools: states) }
        router.get("ready", use: ready)
    }

    private var states: [String: PoolState] {
        Dictionary(uniqueKeysWithValues: servers.map { ($0.name, PoolState($0.pool.statistics)) })
    }

    private func ready(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let reasons = await reasonsAgainst()
        let readiness = Readiness(ready: reasons.isEmpty, reasons: reasons, pools: states)
        var response = try context.responseEncoder.encode(readiness, from: request, context: context)
        response.status = reasons.isEmpty ? .ok : .serviceUnavailable
        response.headers[.cacheControl] = "no-store"
        return response
    }

    /// The service is ready if the server that stores the links answers. It works without its replica.
    private func reasonsAgainst() async -> [String] {
        if Task.isShuttingDownGracefully { return ["The service is stopping."] }
        do {
            try await servers[0].ping()
            return []
        } catch let error as ConnectionPoolError {
            // A saturated pool whose connections work is busy and not broken, so that a load peak does not remove this instance
            // from its load balancer.
            if error.isBusy, servers[0].reachability.isReachable { return [] }
            return [error.message]
        } catch let error as RedisError {
            return [error.message]
        } catch {
            return ["\(error)"]
        }
    }
}

extension ConnectionPoolError {
    /// Whether all connections were in use and no attempt to open another one has failed.
    fileprivate var isBusy: Bool {
        switch code {
        case .acquireTimedOut, .tooManyWaiters, .overloaded: underlyingError == nil
        default: false
        }
    }
}
