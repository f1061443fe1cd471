// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis

/// The pool under load.
typealias DemoPool = ConnectionPool<CountingStrategy<RedisConnectionStrategy>>
