// SPDX-License-Identifier: Apache-2.0

/// The time limits that maintenance enforces, in nanoseconds.
struct MaintenanceSettings: Sendable {
    let minimumIdle: Int
    let idleTimeout: UInt64?
    let maxLifetime: UInt64?
    let burstLinger: UInt64?
    let validateAfterIdle: UInt64?
    let keepaliveInterval: UInt64?
    let leakThreshold: UInt64?
    /// The time between two looks while connections are being used, unless the lifetime of a connection demands a shorter one.
    /// `.max` if nothing depends on time.
    let interval: UInt64
    /// The time between two sweeps that ask the strategy whether each idle connection is closed; `nil` if there are no such
    /// sweeps.
    let closedCheckInterval: UInt64?

    /// The shortest time between two looks: 1 millisecond.
    static let shortestInterval: UInt64 = 1_000_000

    init(_ configuration: ConnectionPoolConfiguration) {
        minimumIdle = configuration.minimumIdle
        idleTimeout = configuration.idleTimeout?.nanoseconds
        maxLifetime = configuration.maxLifetime?.nanoseconds
        burstLinger = configuration.burstLinger?.nanoseconds
        validateAfterIdle = configuration.validateAfterIdle?.nanoseconds
        keepaliveInterval = configuration.keepaliveInterval?.nanoseconds
        leakThreshold = configuration.leakThreshold?.nanoseconds
        // A look notices the beginning of an idle time at most one interval late, and its end, too: at most an eighth in all.
        let shortest = [idleTimeout, burstLinger, validateAfterIdle, keepaliveInterval, leakThreshold].compactMap(
            \.self
        ).min()
        let timed = shortest.map { max($0 / 16, Self.shortestInterval) } ?? .max
        // At most a second, so that connections which are missing from the minimum of idle connections are opened within a
        // second, and so that the ages of leases are known to within a second.
        interval = minimumIdle > 0 || configuration.tracksLeases ? min(timed, 1_000_000_000) : timed
        let closedCheck: UInt64? = minimumIdle > 0 ? 10_000_000_000 : nil
        closedCheckInterval = [keepaliveInterval, closedCheck].compactMap(\.self).min()
    }
}
