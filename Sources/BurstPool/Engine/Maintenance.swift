import Synchronization

/// When the pool looks after its connections, and who is at it.
final class Maintenance: Sendable {
    /// How often, in nanoseconds; `nil`: there is nothing to look for.
    let interval: UInt64?
    let sleeper = ReplaceableTask()
    let evictor = ReplaceableTask()
    /// Opens connections for the pool's own stock.
    let stocking = OneAtATime()
    let internalUse = InternalUse()
    private let looking = OneAtATime()
    private let hasStarted = Atomic(false)
    /// In the upper half, how many calls of `prewarm` are under way; in the lower one, the greatest number of connections
    /// that one of them asks for. In one word, so that who ends the last call does not undo the next one.
    private let warming = Atomic<UInt64>(0)
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
        sleeper.cancel()
        evictor.cancel()
    }

    /// Has one party at a time look.
    func perform(_ look: (inout SlotObservations) -> Void) {
        looking.perform { look(&observations) }
    }

    // MARK: Warming

    private static let oneCall: UInt64 = 1 << 32

    /// How many connections shall be open because somebody warms the pool.
    var warmTarget: Int { Int(UInt32(truncatingIfNeeded: warming.load(ordering: .sequentiallyConsistent))) }

    func beginWarming(_ count: Int) {
        changeWarming { $0 + Self.oneCall + UInt64(max(0, count - Int(UInt32(truncatingIfNeeded: $0)))) }
    }

    /// The target is not for ever: it would undo idleTimeout.
    func endWarming() {
        changeWarming { $0 < 2 * Self.oneCall ? 0 : $0 - Self.oneCall }
    }

    private func changeWarming(_ change: (UInt64) -> UInt64) {
        var before = warming.load(ordering: .relaxed)
        while true {
            let (changed, found) = warming.compareExchange(
                expected: before,
                desired: change(before),
                ordering: .sequentiallyConsistent
            )
            if changed { return }
            before = found
        }
    }
}
