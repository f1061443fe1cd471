// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import Foundation

/// A connection to Redis, exclusive or shared.
///
/// A link is a hash at the key `link:CODE` with the fields `url`, `created` (in milliseconds since 1970) and `count`. Every operation
/// is one round trip.
protocol RedisLinkReader: LinkReader {
    func send(_ command: RedisCommand) async throws -> RedisReply
}

extension SharedRedisConnection: RedisLinkReader {}

extension RedisLinkReader {
    static var system: String { "Redis" }

    func findLink(_ code: LinkCode) async throws -> Link? {
        let reply = try await send(RedisCommand("HMGET", Self.key(code), "url", "created", "count"))
        guard let fields = reply.array, fields.count == 3 else { throw LinkCorruption(key: Self.key(code)) }
        if fields[0].isNull { return nil }
        guard let url = fields[0].string, let created = fields[1].integer, let count = fields[2].integer else {
            throw LinkCorruption(key: Self.key(code))
        }
        return Link(code: code, url: url, created: Self.date(created), count: count)
    }

    func checkLinks() async throws {
        _ = try await send(RedisCommand("PING"))
    }

    fileprivate static func key(_ code: LinkCode) -> String { "link:\(code)" }

    fileprivate static func date(_ milliseconds: Int) -> Date {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }
}

// A transaction changes the state of its connection, so it needs a connection for itself. All writes use one, so that a slow write
// never delays the reads behind it.
extension RedisConnection: RedisLinkReader, LinkConnection {
    func createLink(_ code: LinkCode, url: String, created: Date) async throws -> Link? {
        let key = Self.key(code)
        let milliseconds = Int((created.timeIntervalSince1970 * 1000).rounded())
        // The server that sets `url` owns the code. A transaction keeps others from reading an incomplete link.
        let replies = try await pipeline([
            RedisCommand("MULTI"),
            RedisCommand("HSETNX", key, "url", url),
            RedisCommand("HSETNX", key, "created", milliseconds),
            RedisCommand("HSETNX", key, "count", 0),
            RedisCommand("EXEC"),
        ])
        // In order, because the error that made the transaction fail precedes the error of the transaction.
        guard let first = try replies.map({ try $0.get() }).last?.array?.first else { throw LinkCorruption(key: key) }
        guard try first.get().integer == 1 else { return nil }
        return Link(code: code, url: url, created: Self.date(milliseconds), count: 0)
    }

    func followLink(_ code: LinkCode) async throws -> String? {
        // A script, because HINCRBY alone would create a missing link. The short script is sent every time, because a server
        // that has restarted does not know it.
        let script = """
            local url = redis.call('HGET', KEYS[1], 'url')
            if url then redis.call('HINCRBY', KEYS[1], 'count', 1) end
            return url
            """
        let reply = try await send("EVAL", script, 1, Self.key(code))
        if reply.isNull { return nil }
        guard let url = reply.string else { throw LinkCorruption(key: Self.key(code)) }
        return url
    }
}
