// SPDX-License-Identifier: Apache-2.0

/// How a ``ConnectionPoolGroup`` behaves.
public struct ConnectionPoolGroupConfiguration: Sendable {
    /// The most connections of all keys together, including opening and closing ones. At least 1.
    ///
    /// The sum over all processes must stay below the limit of the server.
    public var maxTotal: Int

    /// The configuration of each key's pool. The limits in it apply to each key alone. The group uses its clock, too.
    ///
    /// A connection takes one of the ``maxTotal`` places of the group. If a key needs a place and none is free, the group
    /// closes an idle connection of another key, also one that ``ConnectionPoolConfiguration/minimumIdle`` keeps. The pool of
    /// the other key opens a new one when a place is free.
    ///
    /// While its connections are being used, each pool inspects them 16 times within the shortest of its time limits. So if
    /// hundreds of keys are busy, leave out ``ConnectionPoolConfiguration/burstLinger``, which is usually the shortest.
    public var perKey: ConnectionPoolConfiguration

    /// How long a key may be unused before the group ends its pool, closes its idle connections, and frees its memory. Default:
    /// 10 minutes. `nil`: pools are kept until the group is shut down. At least 1 millisecond. Enforced up to 12.5 % late.
    ///
    /// A key is in use while a caller has one of its connections or waits for one. If all connections of an unused key have
    /// been closed, its pool ends after an eighth of this time, because the pool only takes memory. Too short: pools and
    /// connections are created again and again. Too long: keys that do not come back keep their memory.
    public var keyIdleTimeout: Duration? = .seconds(600)

    /// How many leases in a row the pool of a key with a weight of 1 gives to its own waiters while another key, which has no
    /// connection, waits for a place. Default: 32. At least 1.
    ///
    /// After so many leases the pool closes a connection, and its place goes to the waiting key. This matters only if there are
    /// more busy keys than places. Too few: keys spend their time on opening connections. Too many: keys without a connection
    /// wait for long.
    public var leasesPerTurn = 32

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - maxTotal: The most connections of all keys together.
    ///   - perKey: The configuration of each key's pool.
    public init(maxTotal: Int, perKey: ConnectionPoolConfiguration) {
        self.maxTotal = maxTotal
        self.perKey = perKey
    }

    /// Checks that all settings are in range and do not contradict each other.
    ///
    /// - Throws: ``ConnectionPoolError`` with `.invalidConfiguration`, which names the settings and their values.
    func validate() throws(ConnectionPoolError) {
        try perKey.validate()
        func refuse(_ message: String) -> ConnectionPoolError {
            .invalidConfiguration(message, poolName: perKey.name)
        }
        if maxTotal < 1 { throw refuse("maxTotal is \(maxTotal). A group needs room for at least 1 connection.") }
        let largest = ConnectionPoolConfiguration.largestSize
        if maxTotal > largest { throw refuse("maxTotal is \(maxTotal). The greatest possible total is \(largest).") }
        if leasesPerTurn < 1 { throw refuse("leasesPerTurn is \(leasesPerTurn). It must be at least 1.") }
        if let keyIdleTimeout, keyIdleTimeout < .milliseconds(1) {
            throw refuse("keyIdleTimeout is \(keyIdleTimeout). It must be at least 1 millisecond.")
        }
    }
}

/// The settings of one key of a ``ConnectionPoolGroup``.
public struct ConnectionPoolKeySettings: Sendable {
    /// The configuration of the key's pool. Its clock must stay as it is.
    public var configuration: ConnectionPoolConfiguration

    /// The key's share of the total in relation to the weights of the other keys, while keys compete for places. From 1 to
    /// 1,000. Default: 1.
    public var weight = 1

    func validate() throws(ConnectionPoolError) {
        guard (1...1000).contains(weight) else {
            throw .invalidConfiguration(
                "weight is \(weight). It must be at least 1 and at most 1,000.",
                poolName: configuration.name
            )
        }
    }
}
