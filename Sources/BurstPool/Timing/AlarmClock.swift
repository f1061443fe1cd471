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
/// Each wake-up is a task that sleeps. A sleeping task is never cancelled in favour of a later or an earlier one, because a
/// cancelled sleep keeps its memory until its moment has come. Instead the clock remembers which tasks sleep, the earliest
/// first, and starts another one only for a moment that is earlier than all of them. There are as many as times of
/// different orders are in use, which is a handful.
///
/// A thread that is stopped inside ``ring(at:)`` has the list of sleeping tasks out of its box. Other threads then find an
/// empty box and start tasks of their own, so no wake-up is lost.
@usableFromInline
final class AlarmClock: Sendable {
    private final class Sleeper: Sendable {
        let moment: UInt64
        let task: Task<Void, Never>
        let next: Sleeper?

        init(_ moment: UInt64, _ task: Task<Void, Never>, next: Sleeper?) {
            self.moment = moment
            self.task = task
            self.next = next
        }
    }

    private let clock: PoolClock
    private let sleepers = ExchangeBox<Sleeper>()
    /// Set once, before the clock is used. Weak: a sleeping task does not keep the pool alive.
    nonisolated(unsafe) private weak var owner: (any AlarmClockOwner)?

    init(_ clock: PoolClock) {
        self.clock = clock
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
        var asleep = stillAsleep(sleepers.take())
        if asleep.map({ $0.moment > moment }) ?? true {
            asleep = Sleeper(moment, start(moment), next: asleep)
        }
        keep(asleep)
    }

    /// Ends all sleeping tasks. Later calls of ``ring(at:)`` start new ones.
    func silence() {
        var next = sleepers.take()
        while let sleeper = next {
            sleeper.task.cancel()
            next = sleeper.next
        }
    }

    /// Drops the tasks whose moment has come: the pool may have been woken already, before the caller stored what is due.
    private func stillAsleep(_ first: Sleeper?) -> Sleeper? {
        guard first != nil else { return nil }
        // What the caller stored is visible to a task that wakes after the clock was read here.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        let now = clock.now
        var next = first
        while let sleeper = next, sleeper.moment <= now { next = sleeper.next }
        return next
    }

    private func start(_ moment: UInt64) -> Task<Void, Never> {
        Task.detached { [self] in
            do { try await clock.sleep(until: moment) } catch { return }
            keep(stillAsleep(sleepers.take()))
            owner?.alarmClockRang()
        }
    }

    /// Puts the list back, joined with what other threads have put there meanwhile.
    private func keep(_ list: Sleeper?) {
        var list = list
        while let first = list, !sleepers.putIfEmpty(first) {
            list = Self.merge(first, sleepers.take())
        }
    }

    private static func merge(_ left: Sleeper?, _ right: Sleeper?) -> Sleeper? {
        guard let left else { return right }
        guard let right else { return left }
        return left.moment <= right.moment
            ? Sleeper(left.moment, left.task, next: merge(left.next, right))
            : Sleeper(right.moment, right.task, next: merge(left, right.next))
    }
}
