/// Leases and returns, written as a user writes them, so many times: with a body that does not suspend, and with one that
/// is asynchronous. One function for each kind of pool, for each is a type of its own to a user as well.
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
