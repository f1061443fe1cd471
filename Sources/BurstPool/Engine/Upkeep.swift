import Synchronization

/// When the pool looks after its connections, and who is at it.
final class Upkeep: Sendable {
    /// How often, in nanoseconds; `nil`: there is nothing to look for.
    let interval: UInt64?
    let sleeper = ReplaceableTask()
    let evictor = ReplaceableTask()
    /// How many connections shall be open, beyond what the configuration asks for: see `prewarm`.
    let warmTarget = Atomic(0)
    let warmers = Atomic(0)
    private let hasStarted = Atomic(false)
    private let requests = Atomic(0)
    /// Only for whoever is at it.
    nonisolated(unsafe) private var observations = SlotObservations()

    init(interval: UInt64?) {
        self.interval = interval
    }

    /// - Returns: Whether it is for the caller to start it.
    func start() -> Bool {
        !hasStarted.load(ordering: .relaxed) && !hasStarted.exchange(true, ordering: .relaxed)
    }

    func stop() {
        sleeper.replace(with: nil)
        evictor.replace(with: nil)
    }

    /// Has one party at a time at it. Who comes meanwhile goes, and whoever is at it does it once more.
    func perform(_ look: (inout SlotObservations) -> Void) {
        guard requests.add(1, ordering: .acquiringAndReleasing).oldValue == 0 else { return }
        var seen: Int
        repeat {
            seen = requests.load(ordering: .acquiring)
            look(&observations)
        } while requests.subtract(seen, ordering: .acquiringAndReleasing).newValue > 0
    }
}
