// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// Code that uses a pool as a server does: functions with one or two calls each. In such functions the compiler decides
/// whether a lease is inlined, or is a call of an asynchronous function, which costs several leases.
struct Handlers: Sendable {
    let pool: ConnectionPool<Strategy>

    /// Four leases.
    @concurrent
    func call(_ count: Int) async throws {
        for number in 0..<count {
            try await touch()
            try await choose(number, limit: .max)
            try await twice(number)
        }
    }

    @inline(never)
    private func touch() async throws {
        try await pool.withConnection { $0.uses &+= 1 }
    }

    @inline(never)
    private func choose(_ number: Int, limit: Int) async throws {
        try await pool.withConnection { connection in
            if connection.uses == limit { throw CancellationError() }
            switch number & 3 {
            case 0: add(1, &connection)
            case 1: add(number, &connection)
            default: for step in 0..<2 { add(step, &connection) }
            }
        }
    }

    @inline(never)
    private func twice(_ number: Int) async throws {
        let uses = try await pool.withConnection { connection in
            add(number, &connection)
            return connection.uses
        }
        try await pool.withConnection { $0.uses = uses &+ 1 }
    }

    @inline(never)
    private func add(_ number: Int, _ connection: inout Strategy.Connection) {
        connection.uses &+= number
    }
}
