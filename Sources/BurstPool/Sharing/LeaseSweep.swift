// SPDX-License-Identifier: Apache-2.0

import Synchronization

// Idle leases that must be given up are among the other idle leases. A sweep finds them.

/// Whether an idle lease may exist that must be given up.
struct SweepRequests: ~Copyable, Sendable {
    private let requested = Atomic<UInt64>(0)
    private let done = Atomic<UInt64>(0)

    var isWanted: Bool { latest != done.load(ordering: .sequentiallyConsistent) }

    /// The number of the latest request.
    var latest: UInt64 { requested.load(ordering: .sequentiallyConsistent) }

    /// Requests a sweep. The caller has said before what to look for.
    func request() {
        requested.add(1, ordering: .sequentiallyConsistent)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// Notes that nothing is left to do for a request and for the requests before it.
    func finish(_ request: UInt64) {
        var found = done.load(ordering: .sequentiallyConsistent)
        while found < request {
            let (exchanged, original) = done.compareExchange(
                expected: found,
                desired: request,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return }
            found = original
        }
    }
}

extension SharedPoolEngine {
    /// Gives up the idle leases of all connections that must lose leases.
    func sweepLeases() {
        sweeps.request()
        reconcile()
    }

    /// Takes each idle lease, and gives it up if its connection must lose leases. O(leases).
    ///
    /// A sweep can miss an idle lease: a thread that puts back a lease moves another one from one place to the next, and a sweep
    /// of another thread sets leases aside. So this thread looks whether an idle lease is left, and then sweeps once more, which
    /// finds what other sweeps have set aside. If a lease is then still left, another thread is moving it. The sweep remains
    /// requested, and that thread sees it when it has put back the lease.
    ///
    /// - Parameter unused: Set to a connection of which no lease is left, if it was `nil` before. The caller returns it.
    /// - Returns: Whether the caller must serve waiters.
    private func sweepLeases(_ unused: inout Core.Lease?) -> Bool {
        var last: [Core.Lease] = []
        var mustServe = false
        for _ in 0..<2 {
            let request = sweeps.latest
            if sweepOnce(&last) { mustServe = true }
            if !hasIdleLeaseToGiveUp {
                sweeps.finish(request)
                break
            }
        }
        if unused == nil { unused = last.popLast() }
        for checkout in last { giveBack(checkout) }
        return mustServe
    }

    private func sweepOnce(_ last: inout [Core.Lease]) -> Bool {
        var mustServe = false
        var left = core.counts.idle
        while left > 0, let lease = core.sweepNext() {
            left -= 1
            let mayLose = header(of: lease).pointee.stateNow.contains(SharingState.losesLeases)
            switch mayLose ? giveUpIfDue(lease) : .kept {
            case .kept:
                InspectedState.noteSwept(inspection(of: lease).pointee, serial: core.serial(of: lease))
                if core.sweepKeep(lease) { mustServe = true }
            case .givenUp: break
            case .last(let checkout): last.append(checkout)
            }
        }
        while let needsReconciling = core.sweepEnd() {
            if needsReconciling { mustServe = true }
        }
        return mustServe
    }

    /// Gives up idle leases of a pool that was shut down, until none is found. Every release of such a pool does this.
    private func giveUpIdleLeases() -> Core.Lease? {
        while let lease = core.takeIdle() {
            switch giveUpIfDue(lease) {
            // The connection was checked out before the shutdown, and the limits of all connections are 0 since.
            case .kept: core.returnIdle(lease)
            case .givenUp: break
            case .last(let checkout): return checkout
            }
        }
        return nil
    }

    private var hasIdleLeaseToGiveUp: Bool {
        var index = 0
        while let slot = core.slot(at: index) {
            index += 1
            guard slot.state == .idle,
                let header = UnsafeMutablePointer<SharingHeader>(
                    bitPattern: headerAddress(of: slot.lease).pointee.load(ordering: .acquiring)
                )
            else { continue }
            if header.pointee.state.contains(SharingState.losesLeases) { return true }
        }
        return false
    }

    /// Does what a thread must do that has put back a lease, or has freed anything else: serves waiters, winds down excess
    /// connections, and gives up idle leases.
    ///
    /// - Returns: A connection of which no lease is left. The caller returns it.
    @usableFromInline
    func attend() -> Core.Lease? {
        if core.isPaused { leaseEnded.fire() }
        if core.isShutDown { return giveUpIdleLeases() }
        serveWaiters()
        guard attention.load(ordering: .sequentiallyConsistent) != 0 else { return nil }
        var unused: Core.Lease?
        shrink()
        while sweeps.isWanted {
            // Serving waiters moves leases from one place to the next, if a lease was put back because a waiter has left. Then
            // this thread looks once more.
            guard sweepLeases(&unused), serveWaiters() else { break }
        }
        return unused
    }

    /// Does the same after a use without an error.
    @usableFromInline
    func attendAfterReturn() -> Core.Lease? {
        connections.health.noteRelease()
        return attend()
    }

    /// Does the same, and returns the connections of which no lease is left.
    @usableFromInline
    func reconcile() {
        while let unused = attend() { giveBack(unused) }
    }
}
