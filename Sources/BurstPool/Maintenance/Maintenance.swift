// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Decides when maintenance looks at the connections, and lets one thread at a time do it.
///
/// While connections are being used, maintenance looks at them at regular intervals. It flags every connection that it has
/// seen. The next lease or release of a flagged connection clears the flag and asks for another look. While all connections
/// are flagged, maintenance rests: it looks again only when something is due. So an unused pool is never woken in vain.
///
/// The time limits hold even if the process is stopped, or gets no CPU, for longer than a limit: the caller that then acquires
/// a flagged connection reads the clock and checks the limits itself.
final class Maintenance: Sendable {
    let settings: MaintenanceSettings
    private let looking = OneAtATime()
    private let next = EarliestMoment()
    private let lastNumber = Atomic<UInt64>(0)
    private let shortestLifetime = EarliestMoment()
    /// What the looks have seen. Used only by the thread that looks.
    nonisolated(unsafe) private var observations = SlotObservations()

    init(_ settings: MaintenanceSettings) {
        self.settings = settings
    }

    /// The moment of the next look; `UInt64.max` if there is none.
    var nextMoment: UInt64 { next.value }

    /// The time between two looks while connections are being used: 1/16 of the shortest time limit, but at least 1
    /// millisecond. So a limit of 16 milliseconds or more is enforced at most an eighth late. `.max` if there is no limit.
    var interval: UInt64 {
        let lifetime = shortestLifetime.value
        guard lifetime != .max else { return settings.interval }
        return min(settings.interval, max(lifetime / 16, MaintenanceSettings.shortestInterval))
    }

    /// Whether anything depends on how long a connection is open, idle or in use.
    var observesTimes: Bool { interval != .max }

    /// Whether a thread is looking.
    var isLooking: Bool { looking.isRunning }

    func isDue(now: UInt64) -> Bool { nextMoment <= now }

    /// Asks for a look at this moment, or earlier.
    func look(at moment: UInt64) {
        next.lower(to: moment)
    }

    /// Runs a look on one thread at a time. The look learns when it was due, and returns when the next one is due.
    func perform(_ look: (_ dueAt: UInt64, inout SlotObservations) -> UInt64) {
        looking.perform {
            let dueAt = next.value
            // Reset before the look: a thread that asks for another look from here on lowers the moment again.
            next.reset()
            self.look(at: look(dueAt, &observations))
        }
    }

    /// The time between two looks that retire expired connections: 1/128 of the shortest lifetime, but at least 1 millisecond.
    var retirementPause: UInt64 { max(shortestLifetime.value / 128, MaintenanceSettings.shortestInterval) }

    /// How long it takes to retire all connections, an eighth at a time, if they have expired at the same moment.
    var retirementDelay: UInt64 { 8 * retirementPause }

    func noteLifetime(_ lifetime: UInt64) {
        shortestLifetime.lower(to: lifetime)
    }

    /// Returns a number that no other connection of the pool has.
    func nextConnectionNumber() -> UInt64 { lastNumber.add(1, ordering: .relaxed).newValue }
}
