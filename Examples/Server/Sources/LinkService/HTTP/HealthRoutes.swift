import BurstPool
import BurstPoolRedis
import HTTPTypes
import Hummingbird
import ServiceLifecycle

/// Whether the process lives, and whether it is of use.
struct HealthRoutes {
    let redis: Redis

    private struct Health: ResponseEncodable {
        let status = "alive"
        let pool: PoolState
    }

    private struct Readiness: Encodable {
        let ready: Bool
        /// Why not.
        let reasons: [String]
        let pool: PoolState
    }

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("health") { [redis] _, _ in Health(pool: PoolState(redis.pool.statistics)) }
        router.get("ready", use: ready)
    }

    private func ready(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let reasons = await reasonsAgainst()
        let readiness = Readiness(ready: reasons.isEmpty, reasons: reasons, pool: PoolState(redis.pool.statistics))
        var response = try context.responseEncoder.encode(readiness, from: request, context: context)
        response.status = reasons.isEmpty ? .ok : .serviceUnavailable
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func reasonsAgainst() async -> [String] {
        if Task.isShuttingDownGracefully { return ["the service is stopping"] }
        do {
            try await redis.ping()
            return []
        } catch let error as ConnectionPoolError {
            return [error.message]
        } catch let error as RedisError {
            return [error.message]
        } catch {
            return ["\(error)"]
        }
    }
}
