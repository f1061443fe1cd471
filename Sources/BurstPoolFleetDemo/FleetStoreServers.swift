// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import BurstPoolRedisServer

/// The Redis servers of the demo: a primary that keeps its data over a restart, and a replica.
final class FleetStoreServers {
    private let primary: RedisServer
    private let replica: RedisServer

    init() throws {
        // The first synchronization of a replica is delayed by 5 seconds otherwise.
        primary = try RedisServer(
            listensOnPort: true,
            arguments: ["--appendonly", "yes", "--repl-diskless-sync-delay", "0"]
        )
        replica = try RedisServer(
            listensOnPort: true,
            arguments: ["--replicaof", "127.0.0.1", "\(primary.port ?? 0)"]
        )
    }

    /// The port of the server that the processes use at first.
    var port: Int { primary.port ?? 0 }

    func restart(keepingData: Bool) throws {
        primary.kill()
        if !keepingData { try primary.removeAppendOnlyFile() }
        try primary.start()
    }

    /// Ends the replication. What the primary writes from now on is lost in ``failOver()``.
    func endReplication() throws { try replica.promote() }

    /// Returns how many connections the primary has granted that the replica does not know of.
    func unreplicatedShares() async throws -> Int {
        let replicated = try await shares(at: replica)
        return try await shares(at: primary).reduce(0) { $0 + max(0, $1.value - (replicated[$1.key] ?? 0)) }
    }

    /// Returns the shares of the members that a server knows.
    private func shares(at server: RedisServer) async throws -> [String: Int] {
        let connection = try await RedisConnectionStrategy(url: "unix://\(server.socketPath)").makeConnection()
        let reply = try await connection.send("HGETALL", "burst-pool:fleet:1:{demo}")
        try await connection.close()
        let fields = (reply.array ?? []).compactMap(\.string)
        var shares: [String: Int] = [:]
        for index in stride(from: 0, to: fields.count - 1, by: 2) where fields[index].hasPrefix("m:") {
            // When the member is forgotten, the number of its latest request, its share, and when the share returns.
            let numbers = fields[index + 1].split(separator: " ").compactMap { Int($0) }
            if numbers.count == 4 { shares[fields[index]] = numbers[2] }
        }
        return shares
    }

    /// Kills the primary, and returns the port of the server that takes its place.
    func failOver() -> Int {
        primary.kill()
        return replica.port ?? 0
    }

    func stop() {
        primary.stop()
        replica.stop()
    }
}
