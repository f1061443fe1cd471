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
    /// The time between two looks while connections are being used, if no lifetime is shorter; `.max` if nothing is looked for.
    let interval: UInt64
    /// The time between two sweeps that ask every idle connection whether it is closed; `nil` if there are none.
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
        // The beginning of an idle time is seen at most one look late, and so is its end: at most an eighth in all.
        let shortest = [idleTimeout, burstLinger, validateAfterIdle, keepaliveInterval, leakThreshold].compactMap(
            \.self
        ).min()
        let timed = shortest.map { max($0 / 16, Self.shortestInterval) } ?? .max
        // Idle connections that were acquired are replaced within a second.
        // So that the age of a lease is known to within a second.
        interval = minimumIdle > 0 || configuration.tracksLeases ? min(timed, 1_000_000_000) : timed
        let closedCheck: UInt64? = minimumIdle > 0 ? 10_000_000_000 : nil
        closedCheckInterval = [keepaliveInterval, closedCheck].compactMap(\.self).min()
    }
}
