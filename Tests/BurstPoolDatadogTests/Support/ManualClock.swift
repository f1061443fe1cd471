import Synchronization
import Testing

/// A clock that a test advances by hand.
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
        /// The length of the sleep when it began.
        let length: Duration
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

    /// The time at which the next task wakes.
    var nextDeadline: Duration? { state.withLock { $0.sleepers.map(\.deadline.sinceStart).min() } }

    /// Returns whether a task sleeps whose sleep began with this length.
    func hasSleeper(of length: Duration) -> Bool {
        state.withLock { $0.sleepers.contains { $0.length == length } }
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
                            length: state.now.duration(to: deadline),
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

    /// Advances the clock and wakes tasks in the order of their deadlines.
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

    /// Waits until a number of tasks sleep.
    func waitForSleepers(_ count: Int) async throws {
        try await eventually("\(count) tasks sleep on the clock") { sleepers == count }
    }
}
