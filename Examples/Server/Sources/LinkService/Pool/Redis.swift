import BurstPool
import BurstPoolRedis

typealias RedisPool = ConnectionPool<RedisConnectionStrategy>

/// Redis, by way of the pool. Each use of it tells ``Reachability`` how it went.
struct Redis: Sendable {
    let pool: RedisPool
    let reachability: Reachability

    func use<Result: Sendable>(
        _ body: (inout sending RedisConnection) async throws -> sending Result
    ) async throws -> Result {
        do {
            let result = try await pool.withConnection(body)
            reachability.succeeded()
            return result
        } catch let error as RedisError {
            if error.isOfAnOutage { reachability.failed(error) }
            throw error
        } catch let error as ConnectionPoolError {
            // Without such an error all connections are busy, or the service stops: that says nothing of Redis.
            if let cause = error.underlyingError ?? (error.code == .connectTimedOut ? error : nil) {
                reachability.failed(cause)
            }
            throw error
        }
    }

    /// Asks whether Redis is there.
    ///
    /// - Throws: What a use would throw.
    func ping() async throws {
        try await use { connection in
            _ = try await connection.send("PING")
        }
    }
}
