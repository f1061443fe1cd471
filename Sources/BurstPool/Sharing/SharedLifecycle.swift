// SPDX-License-Identifier: Apache-2.0

import CRunningTask
import Synchronization

extension SharedPoolEngine {
    @usableFromInline
    func resize(maxSize: Int, burstLimit: Int?) throws(ConnectionPoolError) {
        try connections.resize(maxSize: maxSize, burstLimit: burstLimit)
        dropUnneededSupplies()
        noteBurst()
        reconcile()
    }

    @usableFromInline
    func evictAll(over period: Duration?) {
        connections.evictAll(over: period)
        connectionsWereFlagged()
    }

    @usableFromInline
    func prewarm(_ count: Int?) async throws {
        try await connections.prewarm(count)
    }

    // MARK: The end

    @usableFromInline
    func shutdown(drainFor: Duration?) async -> ConnectionPoolShutdownResult {
        let held = connectionsHeldByTask()
        beginShutdown()
        await connections.waitUntilClosed(exceptHeld: held, timeout: drainFor)
        return ConnectionPoolShutdownResult(remaining: statistics, heldByCaller: held)
    }

    /// The number of connections that bodies of the present task use. O(leases).
    private func connectionsHeldByTask() -> Int {
        Set(leasesHeldByTask().map { headerAddress(of: $0).pointee.load(ordering: .relaxed) }).count
    }

    /// The leases that bodies of the present task hold. O(leases).
    func leasesHeldByTask() -> [Core.Lease] {
        let task = running_task_number()
        guard task != 0 else { return [] }
        var held: [Core.Lease] = []
        core.forEachSlot { _, slot in
            if slot.state == .leased, holder(of: slot.lease).pointee.isTask(task) { held.append(slot.lease) }
        }
        return held
    }

    /// Hands out no more leases, fails the waiters, and starts to close the connections without leases in use.
    private func beginShutdown() {
        core.shutdown()
        while let waiter = core.handOff() {
            fail(waiter, ConnectionPoolError.poolShutDown(statistics, poolName: settings.name))
        }
        supplies.cancelAll()
        forEachCheckout { header, _ in loseLeases(header) }
        sweepLeases()
        connections.beginShutdown()
        alarm.silence()
    }

    @usableFromInline
    func abort(timeout: Duration?) async -> ConnectionPoolShutdownResult {
        beginShutdown()
        connections.abort()
        return await shutdown(drainFor: timeout)
    }

    /// Begins the shutdown of a pool whose last reference was dropped.
    @usableFromInline
    func abandon() {
        if !core.isShutDown { events.report(.dropped(statistics)) }
        beginShutdown()
    }

    // MARK: State

    @usableFromInline
    var statistics: ConnectionPoolStatistics {
        var statistics = connections.statistics
        // A connection without a lease in use is idle, although it is checked out.
        let unused = countUsage().values.count { $0.inUse == 0 }
        let moved = min(unused, statistics.inUse)
        let leases = core.counts
        statistics.leasesInUse = leases.leased
        statistics.leasesIdle = leases.idle + statistics.idle
        statistics.inUse -= moved
        statistics.idle += moved
        statistics.waiting = leases.waiting
        return statistics
    }

    /// The leases that callers hold, the oldest first. O(leases).
    @usableFromInline
    var leases: [ConnectionLeaseDescription] {
        let now = clock.now
        var leases: [ConnectionLeaseDescription] = []
        core.forEachSlot { index, slot in
            guard slot.state == .leased,
                let header = UnsafeMutableRawPointer(
                    bitPattern: headerAddress(of: slot.lease).pointee.load(ordering: .acquiring)
                )
            else { return }
            let flags = (header - Connections.recordOffset).assumingMemoryBound(to: ConnectionHeader.self)
            let since = settings.notesLeases ? record(of: slot.lease).pointee.acquiredAt.load(ordering: .relaxed) : now
            let isInternal = settings.notesLeases && record(of: slot.lease).pointee.isInternal
            let lease = ConnectionLeaseDescription(
                connection: flags.pointee.number.load(ordering: .relaxed),
                location: settings.tracksPlaces && !isInternal ? record(of: slot.lease).pointee.location : nil,
                taskName: nil,
                age: .nanoseconds(Int64(clamping: now.subtractingSaturated(since))),
                isInternal: isInternal
            )
            // If the lease ended during the reads, some of the values belong to the next lease, so this one is left out.
            atomicMemoryFence(ordering: .acquiring)
            if let slotNow = core.slot(at: index), slotNow.serial == slot.serial, slotNow.state == .leased {
                leases.append(lease)
            }
        }
        return leases.sorted { $0.age > $1.age }
    }

    /// The callers that wait, longest wait first. O(greatest number of waiters at a time).
    @usableFromInline
    var waiters: [ConnectionWaiterDescription] {
        guard core.waiting > 0 else { return [] }
        let now = clock.now
        return waits.entries.map { entry in
            ConnectionWaiterDescription(
                location: entry.location,
                taskName: nil,
                age: .nanoseconds(Int64(clamping: now.subtractingSaturated(entry.since)))
            )
        }
    }
}
