import BurstPool
import BurstPoolRedis

/// The pool under load.
typealias DemoPool = ConnectionPool<CountingStrategy<RedisConnectionStrategy>>
