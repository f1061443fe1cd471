// SPDX-License-Identifier: Apache-2.0

// What a group says about itself and its keys while it is running.

extension ConnectionPoolGroup {
    /// The configuration of the group.
    public var configuration: ConnectionPoolGroupConfiguration { core.configuration }

    /// The numbers of connections and waiters of all keys together. `maxSize` is the total of the group. O(keys + connections).
    public var statistics: ConnectionPoolStatistics { core.statistics }

    /// The numbers of connections and waiters of a key; `nil` if the key has no pool now. Does not count as a use of the key.
    public func statistics(for key: Key) -> ConnectionPoolStatistics? {
        withEngine(of: key) { $0.statistics }
    }

    /// The health of a key's pool; `nil` if the key has no pool now. See ``ConnectionPool/health``.
    public func health(for key: Key) -> ConnectionPoolHealth? {
        withEngine(of: key) { $0.currentHealth }
    }

    /// The health of the pools that are not ``ConnectionPoolHealth/Status-swift.enum/healthy`` or
    /// ``ConnectionPoolHealth/Status-swift.enum/unknown``, by key. Answers at once. O(keys + connections + waiters).
    public var ailingKeys: [Key: ConnectionPoolHealth] {
        var ailing: [Key: ConnectionPoolHealth] = [:]
        for (key, engine) in core.pools {
            let health = engine.currentHealth
            switch health.status {
            case .unknown, .healthy: break
            case .unresponsive, .failing, .shutDown: ailing[key] = health
            }
        }
        return ailing
    }

    /// What a key has got of the places of the group, and what it has given up; `nil` if the key has no pool now.
    public func account(for key: Key) -> ConnectionPoolKeyAccount? {
        withEngine(of: key) { $0.share?.account }
    }

    /// The keys with the most connections in use and callers waiting, the busiest first. Keys without either are left out.
    /// O(keys + connections).
    ///
    /// - Parameter count: How many keys at most.
    public func busiestKeys(_ count: Int) -> [(key: Key, statistics: ConnectionPoolStatistics)] {
        guard count > 0 else { return [] }
        func load(_ statistics: ConnectionPoolStatistics) -> Int { statistics.inUse + statistics.waiting }
        let busy = core.pools.map { (key: $0.key, statistics: $0.engine.statistics) }.filter { load($0.statistics) > 0 }
        return Array(busy.sorted { load($0.statistics) > load($1.statistics) }.prefix(count))
    }

    /// The keys that have a pool now. O(keys).
    public var keys: [Key] { core.pools.map(\.key) }

    /// The number of keys that have a pool now.
    public var keyCount: Int { core.keyCount }

    private func withEngine<Result>(
        of key: Key,
        _ body: (_PoolEngine<Strategy, _ConcurrencyKitCore>) -> Result?
    ) -> Result? {
        guard let visit = core.enterExisting(key) else { return nil }
        defer { visit.leave() }
        return visit.engine._withUnsafeGuaranteedRef(body)
    }
}

/// What a key of a ``ConnectionPoolGroup`` has got of the places of the group since it got its pool.
public struct ConnectionPoolKeyAccount: Sendable, Hashable {
    /// The weight of the key: see ``ConnectionPoolKeySettings/weight``.
    public let weight: Int
    /// The connections of the key, including opening and closing ones.
    public let places: Int
    /// Whether the key waits for a place, because the total of the group is used up.
    public let isWaiting: Bool
    /// How often the key waited for a place and got one.
    public let grants: Int
    /// How often the key closed a connection that its own waiter could have got, because another key had less than its part.
    public let yields: Int
    /// How many connections of the key were closed because another key needed the place, including ``yields``.
    public let reclaims: Int
    /// The longest time for which the key has waited for a place that it got.
    public let longestWait: Duration
}
