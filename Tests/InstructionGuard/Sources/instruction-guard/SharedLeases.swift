// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// What a lease of a shared connection costs, next to one of an exclusive connection.
enum SharedLeases {
    @concurrent
    static func measure(_ record: Record) async throws {
        let pool = try SharedConnectionPool(strategy: SharedStrategy(), maxSize: 8, burstLimit: 16)
        try await pool.prewarm(1)
        try await pool.withConnection { _ in }
        try await record.measure("shared: withConnection, synchronous body") { count in
            for _ in 0..<count {
                try await pool.withConnection { connection in
                    connection.uses &+= 1
                }
            }
        }
        try await record.measure("shared: withConnection, asynchronous body") { count in
            for _ in 0..<count {
                try await pool.withConnection { connection in
                    await connection.use()
                }
            }
        }
        try await record.measure("shared: acquire and release") { count in
            for _ in 0..<count {
                let lease = try await pool.acquire()
                lease.connection.uses &+= 1
            }
        }
        await pool.shutdown()
    }
}

/// A connection that is used by one task only, so that the measurement contains no atomic operation of its own.
final class SharedConnection: @unchecked Sendable {
    var uses = 0

    nonisolated(nonsending) func use() async { uses &+= 1 }
}

final class SharedStrategy: SharedConnectionStrategy {
    func makeConnection() async throws -> SharedConnection { SharedConnection() }
    func connectionIsClosed(_ connection: SharedConnection) throws -> Bool { false }
    func closeConnection(_ connection: SharedConnection) async throws {}
    func leaseLimit(of connection: SharedConnection) -> Int { 16 }
}
