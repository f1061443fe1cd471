// SPDX-License-Identifier: Apache-2.0

public import BurstPool
public import BurstPoolRedis

/// Keeps the budgets of fleets in Redis or Valkey.
///
/// A fleet is one hash with the key `burst-pool:fleet:1:{NAME}`. Every request is one atomic script, which takes the time from the
/// server. Requires version 5 of Redis or later, or Valkey. In a cluster, connect to the server that has the key.
///
/// The server may restart, fail over and lose its data: see decision 20 of the repository. Three settings of the server make that
/// rarer and safer:
///
/// - `appendonly yes`, so that a restart does not forget the members;
/// - `min-replicas-to-write 1` and a `min-replicas-max-lag` below the fleet's grace, so that a primary that has been replaced does not
///   grant shares;
/// - `maxmemory-policy noeviction`, because an evicted fleet is one that was forgotten.
///
/// The user needs the commands `EVALSHA`, `EVAL`, `HMGET`, `HGET`, `HGETALL`, `HSET`, `HDEL` and `TIME`, and should have `INFO`: with
/// it, a restart is noticed at once.
///
/// All methods may be called from any task.
public final class RedisFleetStore: FleetStore {
    /// The pool of connections to the server.
    public let pool: ConnectionPool<RedisConnectionStrategy>

    /// Creates a store that uses connections of a pool. The pool is not shut down with the store.
    public init(pool: ConnectionPool<RedisConnectionStrategy>) {
        self.pool = pool
    }

    /// Creates a store with one connection of its own, which opens with the first request.
    ///
    /// - Parameter url: The address of the server: see `RedisConfiguration.init(url:)`.
    /// - Throws: `RedisError` with a message that names what is wrong with the URL.
    public convenience init(url: String) throws {
        let strategy = try RedisConnectionStrategy(url: url)
        self.init(pool: try ConnectionPool(strategy: strategy, maxSize: 1))
    }

    public func join(_ request: FleetRequest) async throws -> FleetReply {
        try await reply(to: request, "join")
    }

    public func renew(_ request: FleetRequest, held: Int, wanted: Int) async throws -> FleetReply {
        try await reply(to: request, "renew", held: held, wanted: wanted)
    }

    public func leave(_ request: FleetRequest) async throws {
        _ = try await execute(request, "leave", held: 0, wanted: 0)
    }

    // MARK: -

    private func execute(_ request: FleetRequest, _ operation: String, held: Int, wanted: Int) async throws
        -> RedisReply
    {
        let arguments: [any RedisArgument] = [
            operation, request.member, request.number, held, wanted, Self.encode(request.settings),
        ]
        return try await pool.withConnection { connection in
            try await connection.evaluate(
                FleetScript.script,
                keys: ["burst-pool:fleet:1:{\(request.fleet)}"],
                arguments: arguments
            )
        }
    }

    private func reply(
        to request: FleetRequest,
        _ operation: String,
        held: Int = 0,
        wanted: Int = 0
    ) async throws -> FleetReply {
        let reply = try await execute(request, operation, held: held, wanted: wanted)
        guard let result = Self.decode(reply) else {
            throw FleetError(
                .unsuitableStore,
                fleet: request.fleet,
                message: "The server answered with \(reply), which this version of BurstPoolFleet does not understand."
            )
        }
        return result
    }

    static func decode(_ reply: RedisReply) -> FleetReply? {
        guard let fields = reply.array, let kind = fields.first?.string else { return nil }
        if kind == "different", fields.count == 2 {
            return fields[1].string.flatMap(decodeSettings).map { .differentSettings($0) }
        }
        let numbers = fields.dropFirst().compactMap(\.integer)
        guard numbers.count == 4 else { return nil }
        let state = FleetState(members: numbers[1], drawn: numbers[2], recovery: .milliseconds(numbers[3]))
        switch kind {
        case "granted": return .granted(share: numbers[0], state)
        case "full": return .full(state)
        case "recovering": return .recovering(state)
        case "outdated": return .outdated
        default: return nil
        }
    }

    /// Terms are rounded up to milliseconds, so that they are never shorter at the store.
    static func encode(_ settings: FleetSettings) -> String {
        let terms = [settings.term, settings.memberTerm, settings.grace].map { term in
            let (seconds, attoseconds) = term.components
            return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        }
        return ([settings.total, settings.floor, settings.processes] + terms).map(String.init).joined(separator: " ")
    }

    static func decodeSettings(_ text: String) -> FleetSettings? {
        let numbers = text.split(separator: " ").compactMap { Int($0) }
        guard numbers.count == 6 else { return nil }
        var settings = FleetSettings(total: numbers[0], floor: numbers[1], processes: numbers[2])
        settings.term = .milliseconds(numbers[3])
        settings.memberTerm = .milliseconds(numbers[4])
        settings.grace = .milliseconds(numbers[5])
        return settings
    }
}
