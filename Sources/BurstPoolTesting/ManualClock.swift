// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A clock that a test advances by hand, so that time limits pass without waiting.
///
/// ```swift
/// let clock = ManualClock()
/// configuration.clock = clock
/// // …
/// clock.advance(by: .seconds(30))
/// ```
///
/// All methods may be called from any task.
public final class ManualClock: Clock {
    /// A moment of a manual clock.
    public struct Instant: InstantProtocol {
        /// The time since the clock was created.
        public var sinceStart: Duration

        public init(sinceStart: Duration) {
            self.sinceStart = sinceStart
        }

        public func advanced(by duration: Duration) -> Instant { Instant(sinceStart: sinceStart + duration) }
        public func duration(to other: Instant) -> Duration { other.sinceStart - sinceStart }
        public static func < (left: Instant, right: Instant) -> Bool { left.sinceStart < right.sinceStart }
    }

    /// The error of ``ManualClock/waitForSleepers(_:)`` if the expected number of tasks did not sleep in time.
    public struct NobodySleeps: Error, CustomStringConvertible {
        public let description: String
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

    /// Creates a clock that stands still at zero.
    public init() {}

    public var now: Instant { state.withLock { $0.now } }
    public var minimumResolution: Duration { .nanoseconds(1) }

    /// The number of sleeping tasks.
    public var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// The time at which the next task wakes, counted from the creation of the clock; `nil` if no task sleeps.
    public var nextDeadline: Duration? { state.withLock { $0.sleepers.map(\.deadline.sinceStart).min() } }

    /// Returns whether a sleeping task will wake within this time.
    public func wakes(within time: Duration) -> Bool {
        state.withLock { state in state.sleepers.contains { $0.deadline.sinceStart <= state.now.sinceStart + time } }
    }

    /// Returns whether a task sleeps that began to sleep for exactly this duration.
    public func hasSleeper(of length: Duration) -> Bool {
        state.withLock { $0.sleepers.contains { $0.length == length } }
    }

    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
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
        // The task may have been cancelled after it woke. Its number is then in the set, and no later sleep would remove it.
        state.withLock { _ = $0.cancelled.remove(id) }
    }

    /// Advances the clock, and wakes the tasks whose time has come, in the order of their deadlines.
    ///
    /// A task that was woken continues some time later. Let the test wait for the effect of that task before it checks it.
    public func advance(by duration: Duration) {
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

    /// Waits until at least `count` tasks sleep. If `count` is 0, waits until no task sleeps.
    ///
    /// Call this before ``advance(by:)``, because a task that begins to sleep after the clock was advanced sleeps for its whole
    /// duration.
    ///
    /// - Throws: ``NobodySleeps`` after about 20 seconds of real time, and `CancellationError`.
    public func waitForSleepers(_ count: Int) async throws {
        for look in 0..<22_000 {
            if count == 0 ? sleepers == 0 : sleepers >= count { return }
            if look < 2_000 { await Task.yield() } else { try await Task.sleep(for: .milliseconds(1)) }
        }
        throw NobodySleeps(description: "\(sleepers) tasks sleep on the clock, and the test expected \(count).")
    }
}
