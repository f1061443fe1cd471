import BurstPoolRedis
import Foundation

/// The links, in Redis: a hash for each, at `link:` and its code, with `url`, `created` (milliseconds since 1970) and `count`.
///
/// Every operation is one round trip on one lease, and atomic in Redis, so that servers beside each other do not need to know
/// of each other.
struct LinkStore: Sendable {
    let redis: Redis
    /// Where new codes come from; they may be taken.
    var makeCode: @Sendable () -> LinkCode = { .random() }

    /// Redis answered with what the commands sent to it do not lead to: the key holds something else.
    struct Corruption: Error {
        let key: String
    }

    /// No code was free in as many attempts.
    struct NoFreeCode: Error {
        let attempts: Int
    }

    /// Stores a link under a code that none had before.
    func create(_ address: LinkAddress, at now: Date = .now) async throws -> Link {
        let attempts = 5
        for _ in 0..<attempts {
            let code = makeCode()
            let created = Int((now.timeIntervalSince1970 * 1000).rounded())
            // Whoever sets `url` has the code. A transaction, so that nobody finds a link without the rest.
            let outcome = try await redis.use { [key = Self.key(code)] connection in
                let replies = try await connection.pipeline([
                    RedisCommand("MULTI"),
                    RedisCommand("HSETNX", key, "url", address.text),
                    RedisCommand("HSETNX", key, "created", created),
                    RedisCommand("HSETNX", key, "count", 0),
                    RedisCommand("EXEC"),
                ])
                // In their order: what made the transaction fail says more than that it failed.
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

    /// Counts one more use of a link, and tells where it leads; `nil` if there is no such link.
    func follow(_ code: LinkCode) async throws -> String? {
        // A script, because a command that counts would create a link that is not there. Sent whole each time: it is short,
        // and a server that has just started does not know it.
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

    /// A link as it is, without counting a use; `nil` if there is none.
    func find(_ code: LinkCode) async throws -> Link? {
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
