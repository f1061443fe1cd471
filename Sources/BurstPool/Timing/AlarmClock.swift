// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What an alarm clock wakes.
protocol AlarmClockOwner: AnyObject, Sendable {
    /// Does everything that is due, and asks for the next wake-up.
    func alarmClockRang()
}

/// The only timer of a pool: it wakes the pool when something is due, and never otherwise.
///
/// Each part of the pool that has something to do at a certain moment (deadlines of waiters, time limits of opens, closes
/// and validations, retries, maintenance) keeps that moment itself, and then calls ``ring(at:)``. When the clock rings, the
/// pool asks every part what is due and when the next thing will be.
///
/// Each wake-up is a task that sleeps. A cancelled sleep keeps its memory until its moment has come, so a sleeping task is
/// not cancelled in favour of a later or an earlier one. Instead the clock publishes for which moments tasks sleep, and
/// starts another task only for a moment that is earlier than all of them. There are as many as times of different orders
/// are in use, which is a handful.
@usableFromInline
final class AlarmClock: Sendable {
    /// A place for one sleeping task. Memory of such places is never freed before the clock.
    private struct Place: ~Copyable {
        /// The moment for which the task sleeps; `UInt64.max` if the place is free.
        let moment = Atomic<UInt64>(.max)
        let sleeper = ExchangeBox<Canceller>()
    }

    /// More than there are times of different orders in use.
    private static let placeCount = 8

    private let clock: PoolClock
    nonisolated(unsafe) private let places = UnsafeMutableBufferPointer<Place>.allocate(capacity: placeCount)
    /// Set once, before the clock is used. Weak: a sleeping task does not keep the pool alive.
    nonisolated(unsafe) private weak var owner: (any AlarmClockOwner)?

    init(_ clock: PoolClock) {
        self.clock = clock
        for place in places.indices { places.initializeElement(at: place, to: Place()) }
    }

    deinit {
        places.deinitialize()
        places.deallocate()
    }

    /// Names what the clock wakes. Call this method once, before all others.
    func setOwner(_ owner: any AlarmClockOwner) {
        self.owner = owner
    }

    /// Wakes the pool at a moment of its clock, or earlier. `UInt64.max` means never.
    ///
    /// The caller has stored what is due at that moment before this call.
    @usableFromInline
    func ring(at moment: UInt64) {
        guard moment != .max else { return }
        // Pairs with the fence of a task that wakes: it makes its place free, and then looks at what is due. So if this
        // thread finds the place still taken, that task finds what the caller has stored.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if let place = claimPlace(for: moment) { startSleeping(until: moment, in: place) }
    }

    /// Ends all sleeping tasks. The caller then calls ``ring(at:)`` again for what still has to be done.
    func silence() {
        for place in places.indices {
            places[place].moment.store(.max, ordering: .relaxed)
            places[place].sleeper.take()?.cancel()
        }
        // Pairs with the fence of ring(at:) on another thread: if this thread has made the place of that call free, it finds
        // what the other thread stored before.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// Publishes that a task sleeps until this moment. Returns `nil` if one sleeps that wakes early enough.
    ///
    /// If all places are taken, the task that would wake first loses its place. It has nothing to do when it wakes, because
    /// the task that took its place wakes earlier.
    private func claimPlace(for moment: UInt64) -> Int? {
        while true {
            var chosen: (place: Int, moment: UInt64)?
            for place in places.indices {
                let found = places[place].moment.load(ordering: .relaxed)
                if found <= moment { return nil }
                // The sum is 0 for a free place, so a free place is preferred to the earliest moment.
                if chosen.map({ found &+ 1 < $0.moment &+ 1 }) ?? true { chosen = (place, found) }
            }
            guard let chosen else { return nil }
            // Relaxed: starting the task makes what the caller has stored visible to it.
            let (claimed, _) = places[chosen.place].moment.compareExchange(
                expected: chosen.moment,
                desired: moment,
                ordering: .relaxed
            )
            if claimed { return chosen.place }
        }
    }

    private func startSleeping(until moment: UInt64, in place: Int) {
        let sleeper = Canceller()
        // A task that is cancelled here although its moment is published wakes the pool too early, which does no harm.
        places[place].sleeper.put(sleeper)?.cancel()
        sleeper.watch(
            Task.detached { [self] in
                try? await clock.sleep(until: moment)
                places[place].sleeper.remove(sleeper)
                let (wasPublished, _) = places[place].moment.compareExchange(
                    expected: moment,
                    desired: .max,
                    ordering: .relaxed
                )
                guard wasPublished else { return }
                // Pairs with the fence of ring(at:).
                atomicMemoryFence(ordering: .sequentiallyConsistent)
                owner?.alarmClockRang()
            }
        )
    }
}
