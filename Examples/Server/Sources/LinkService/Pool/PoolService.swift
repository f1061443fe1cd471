import BurstPool
import Logging
import ServiceLifecycle

/// Keeps a pool for as long as a group of services runs, and shuts it down behind them.
///
/// To be placed in the group before the services that use the pool: a group ends its services from the last to the first, so
/// all that use the pool have ended when it shuts down.
struct PoolService<Strategy: ConnectionStrategy>: Service {
    let pool: ConnectionPool<Strategy>
    /// How long to wait for connections that are still out.
    let drainFor: Duration
    let logger: Logger

    func run() async {
        try? await gracefulShutdown()
        // A task of its own: when the group is cancelled, because its time is up, there are connections to be closed yet,
        // and a cancelled task would not wait for them.
        await Task { await pool.shutdown(drainFor: drainFor) }.value
        let left = pool.statistics
        if left.total == 0 {
            logger.info("the pool is shut down")
        } else {
            logger.warning("connections were left when the time was up", metadata: ["pool": "\(left)"])
        }
    }
}
