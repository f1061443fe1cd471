import Synchronization
import Testing

/// A clock that stands still until the test advances it.
final class ManualClock: Clock {
    struct Instant: InstantProtocol {
        var sinceStart: Duration
        func advanced(by duration: Duration) -> Instant { Instant(sinceStart: sinceStart + duration) }
        func duration(to other: Instant) -> Duration { other.sinceStart - sinceStart }
        static func < (left: Instant, right: Instant) -> Bool { left.sinceStart < right.sinceStart }
    }

    private struct Sleeper {
        let id: Int
        let deadline: Instant
        let continuation: UnsafeContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(sinceStart: .zero)
        var nextID = 0
        var sleepers: [Sleeper] = []
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }

    /// The number of sleeping tasks.
    var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// The earliest deadline of the sleeping tasks.
    var nextDeadline: Duration? { state.withLock { $0.sleepers.map(\.deadline.sinceStart).min() } }

    /// Returns whether a sleeping task will wake within this time.
    func wakes(within time: Duration) -> Bool {
        state.withLock { state in state.sleepers.contains { $0.deadline.sinceStart <= state.now.sinceStart + time } }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Void, any Error>) in
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers.append(
                        Sleeper(
                            id: id,
                            deadline: deadline,
                            continuation: continuation
                        )
                    )
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Advances the clock, and wakes the tasks whose deadlines have passed, in the order of the deadlines.
    func advance(by duration: Duration) {
        let target = state.withLock { $0.now.advanced(by: duration) }
        while true {
            let woken = state.withLock { state -> [Sleeper] in
                guard let first = state.sleepers.map(\.deadline).min(), first <= target else {
                    state.now = max(state.now, target)
                    return []
                }
                state.now = max(state.now, first)
                defer { state.sleepers.removeAll { $0.deadline <= first } }
                return state.sleepers.filter { $0.deadline <= first }
            }
            if woken.isEmpty { return }
            for sleeper in woken { sleeper.continuation.resume() }
        }
    }

    /// Waits until at least `count` tasks sleep, or until no task does if `count` is 0.
    func waitForSleepers(_ count: Int) async throws {
        try await eventually("\(count) tasks sleep on the clock") { count == 0 ? sleepers == 0 : sleepers >= count }
    }
}
