// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// When the pool looks at the connections that are checked out, and what it has seen.
///
/// A connection that is checked out counts as in use for the engine of the connections, which therefore neither validates it nor
/// closes it as unused. So a connection that nobody has used since the last look is returned. If the leases in use fit well into
/// fewer connections, the connection with the fewest leases is wound down, so that it can rest.
final class Resting: Sendable {
    private let next = EarliestMoment()
    private let looking = OneAtATime()
    /// Used only by the thread that looks. For each connection: the sum of the serial numbers of its leases.
    nonisolated(unsafe) private var seen: [UInt: UInt64] = [:]
    /// Used only by the thread that looks. Whether the leases in use fitted into fewer connections at the last look.
    nonisolated(unsafe) private var hadRoom = false

    var nextMoment: UInt64 { next.value }

    func look(at moment: UInt64) { next.lower(to: moment) }

    /// Runs a look on one thread at a time, if one is due.
    func performIfDue(now: UInt64, _ look: (_ seen: inout [UInt: UInt64], _ hadRoom: inout Bool) -> Void) {
        guard next.resetIfDue(now: now) else { return }
        looking.perform { look(&seen, &hadRoom) }
    }
}

extension SharedPoolEngine: AlarmClockOwner {
    /// Does everything that is due, and asks for the next wake-up.
    @usableFromInline
    func alarmClockRang() {
        let now = clock.now
        expireWaiters(now: now)
        resting.performIfDue(now: now) { seen, hadRoom in look(now: now, &seen, &hadRoom) }
        if core.isShutDown { return }
        alarm.ring(at: min(core.nextDeadline ?? .max, resting.nextMoment))
    }

    /// Asks for a look, because a connection was checked out.
    func lookSoon() {
        guard settings.lookInterval != .max, resting.nextMoment == .max else { return }
        let moment = clock.now.addingSaturated(settings.lookInterval)
        resting.look(at: moment)
        alarm.ring(at: moment)
    }

    private func look(now: UInt64, _ seen: inout [UInt: UInt64], _ hadRoom: inout Bool) {
        let usage = countUsage()
        reportOverdueLeases(now: now)
        let staying = usage.values.filter { !isLeaving($0) }
        var isRested = false
        for one in staying where one.inUse == 0 && seen[UInt(bitPattern: one.header)] == one.serials {
            windDown(one.header)
            isRested = true
        }
        let coldest = staying.min { $0.inUse < $1.inUse }
        let hasRoom = coldest.map { staying.count > 1 && $0.inUse > 0 && fitsWell(without: $0, staying) } ?? false
        if settings.spreadsLeases {
            // A quarter of the leases stays idle, so that the cap need not be raised again at once.
            lowerLeaseCap(reserve: usage.values.reduce(0) { $0 + $1.inUse } / 3)
        } else if let coldest, hasRoom, hadRoom, !isRested, !core.hasWaiters {
            windDown(coldest.header)
        }
        hadRoom = hasRoom
        seen = usage.mapValues(\.serials)
        if !usage.isEmpty { resting.look(at: now.addingSaturated(settings.lookInterval)) }
        reconcile()
    }

    /// Whether the leases in use would leave a quarter of the leases of the other connections idle.
    private func fitsWell(without one: SharingUsage, _ usage: [SharingUsage]) -> Bool {
        let capacity = usage.reduce(0) { $0 + $1.state.leases } - one.state.leases
        return usage.reduce(0) { $0 + $1.inUse } <= capacity / 4 * 3
    }

    private func reportOverdueLeases(now: UInt64) {
        guard let threshold = settings.leakThreshold else { return }
        core.forEachSlot { index, slot in
            guard slot.state == .leased else { return }
            let record = record(of: slot.lease)
            let since = record.pointee.acquiredAt.load(ordering: .acquiring)
            if record.pointee.isInternal { return }
            let location = record.pointee.location
            guard now.subtractingSaturated(since) >= threshold,
                record.pointee.overdueSince.compareExchange(expected: 0, desired: since, ordering: .relaxed).exchanged
            else { return }
            // The lease may have ended meanwhile, and what was read may belong to the next one.
            if let slotNow = core.slot(at: index), slotNow.serial == slot.serial, slotNow.state == .leased {
                events.report(.leaseOverdue(location, age: .nanoseconds(now - since)))
            } else {
                record.pointee.overdueSince.store(0, ordering: .relaxed)
            }
        }
    }
}
