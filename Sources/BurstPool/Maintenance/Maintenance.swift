import Synchronization

/// When maintenance looks at the connections, and which thread does it.
///
/// While connections are being used, maintenance looks at them at regular intervals. It flags connections that have not
/// changed since the last look. When all are flagged it rests: the next lease or release of a flagged connection wakes it,
/// and otherwise it looks again only when something is due. So an unused pool is never woken in vain.
final class Maintenance: Sendable {
    let settings: MaintenanceSettings
    private let looking = OneAtATime()
    private let next = EarliestMoment()
    private let lastNumber = Atomic<UInt64>(0)
    private let shortestLifetime = EarliestMoment()
    /// Used only by the thread that looks.
    nonisolated(unsafe) private var observations = SlotObservations()

    init(_ settings: MaintenanceSettings) {
        self.settings = settings
    }

    /// The moment of the next look; `UInt64.max` if there is none.
    var nextMoment: UInt64 { next.value }

    /// Whether a thread is looking.
    var isLooking: Bool { looking.isRunning }

    func isDue(now: UInt64) -> Bool { nextMoment <= now }

    /// Looks at a moment at the latest.
    func look(at moment: UInt64) {
        next.lower(to: moment)
    }

    /// Runs a look on one thread at a time. The look returns when the next one is due.
    func perform(_ look: (inout SlotObservations) -> UInt64) {
        looking.perform {
            // Reset first: whatever asks for a look from here on lowers the moment again.
            next.reset()
            self.look(at: look(&observations))
        }
    }

    /// The time between two looks that retire connections which are too old: 1/128 of the shortest lifetime.
    var retirementPause: UInt64 { max(shortestLifetime.value / 128, MaintenanceSettings.shortestInterval) }

    func noteLifetime(_ lifetime: UInt64) {
        shortestLifetime.lower(to: lifetime)
    }

    /// Returns a number that no other connection of the pool has.
    func nextConnectionNumber() -> UInt64 { lastNumber.add(1, ordering: .relaxed).newValue }
}
