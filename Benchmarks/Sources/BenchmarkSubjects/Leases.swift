// SPDX-License-Identifier: Apache-2.0

/// Acquires and releases a connection many times, in the way a user writes it: with a body that does not suspend, and
/// with an asynchronous one. There is one function for each kind of pool, because each is a separate type for a user
/// too.
public enum Leases {
    @concurrent
    public static func synchronous(_ pool: ShippingPool, _ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                connection.touch()
            }
        }
    }

    @concurrent
    public static func asynchronous(_ pool: ShippingPool, _ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                await connection.use()
            }
        }
    }

    @concurrent
    public static func acquired(_ pool: ShippingPool, _ times: Int) async throws {
        for _ in 0..<times {
            let lease = try await pool.acquire()
            lease.connection.touch()
            lease.release()
        }
    }

    @concurrent
    public static func synchronous(_ pool: LockFreeSwiftPool, _ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                connection.touch()
            }
        }
    }

    @concurrent
    public static func asynchronous(_ pool: LockFreeSwiftPool, _ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                await connection.use()
            }
        }
    }

    @concurrent
    public static func synchronous(_ pool: MutexPool, _ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                connection.touch()
            }
        }
    }

    @concurrent
    public static func asynchronous(_ pool: MutexPool, _ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                await connection.use()
            }
        }
    }

    @concurrent
    public static func synchronous(_ pool: ActorPool, _ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                connection.touch()
            }
        }
    }

    @concurrent
    public static func synchronous(_ pool: HandWrittenMutexPool, _ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                connection.touch()
            }
        }
    }
}
