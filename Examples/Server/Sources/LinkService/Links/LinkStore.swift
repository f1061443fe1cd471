// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import Foundation

/// Stores links in Redis. A link is a hash at the key `link:CODE` with the fields `url`, `created` (in milliseconds since 1970)
/// and `count`.
///
/// Every operation is one round trip on one lease and is atomic in Redis, so several servers can share one Redis.
struct LinkStore: Sendable {
    let redis: Redis
    /// A replica of the server, which may be behind it.
    var replica: Redis?
    /// Makes new codes, which may already be in use.
    var makeCode: @Sendable () -> LinkCode = { .random() }

    /// The key of a link holds another type of value.
    struct Corruption: Error {
        let key: String
    }

    /// Every attempted code was already in use.
    struct NoFreeCode: Error {
        let attempts: Int
    }

    /// Stores a link under an unused code.
    func create(_ address: LinkAddress, at now: Date = .now) async throws -> Link {
        let attempts = 5
        for _ in 0..<attempts {
            let code = makeCode()
            let created = Int((now.timeIntervalSince1970 * 1000).rounded())
            // The server that sets `url` owns the code. A transaction keeps others from reading an incomplete link.
            let outcome = try await redis.use { [key = Self.key(code)] connection in
                let replies = try await connection.pipeline([
                    RedisCommand("MULTI"),
                    RedisCommand("HSETNX", key, "url", address.text),
                    RedisCommand("HSETNX", key, "created", created),
                    RedisCommand("HSETNX", key, "count", 0),
                    RedisCommand("EXEC"),
                ])
                // In order, because the error that made the transaction fail precedes the error of the transaction.
                return try replies.map { try $0.get() }.last
            }
            guard let first = outcome?.array?.first else { throw Corruption(key: Self.key(code)) }
            if try first.get().integer == 1 {
                let time = Date(timeIntervalSince1970: Double(created) / 1000)
                return Link(code: code, url: address.text, created: time, count: 0)
            }
        }
        throw NoFreeCode(attempts: attempts)
    }

    /// Counts a use of a link and returns its URL, or `nil` if there is no such link.
    func follow(_ code: LinkCode) async throws -> String? {
        // A script, because HINCRBY alone would create a missing link. The short script is sent every time, because a server
        // that has restarted does not know it.
        let script = """
            local url = redis.call('HGET', KEYS[1], 'url')
            if url then redis.call('HINCRBY', KEYS[1], 'count', 1) end
            return url
            """
        let reply = try await redis.use { [key = Self.key(code)] connection in
            try await connection.send("EVAL", script, 1, key)
        }
        if reply.isNull { return nil }
        guard let url = reply.string else { throw Corruption(key: Self.key(code)) }
        return url
    }

    /// Returns a link without counting a use, or `nil` if there is no such link.
    ///
    /// The replica is asked first. If it fails or does not have the link yet, the server is asked.
    func find(_ code: LinkCode) async throws -> Link? {
        if let replica, let link = try? await find(code, in: replica) { return link }
        return try await find(code, in: redis)
    }

    private func find(_ code: LinkCode, in redis: Redis) async throws -> Link? {
        let reply = try await redis.use { [key = Self.key(code)] connection in
            try await connection.send("HMGET", key, "url", "created", "count")
        }
        guard let fields = reply.array, fields.count == 3 else { throw Corruption(key: Self.key(code)) }
        if fields[0].isNull { return nil }
        guard let url = fields[0].string, let created = fields[1].integer, let count = fields[2].integer else {
            throw Corruption(key: Self.key(code))
        }
        let time = Date(timeIntervalSince1970: Double(created) / 1000)
        return Link(code: code, url: url, created: time, count: count)
    }

    private static func key(_ code: LinkCode) -> String { "link:\(code)" }
}
