// SPDX-License-Identifier: Apache-2.0

import Synchronization

// The policy .fewestLeases. The fast path is that of the other policy: it takes the idle lease that was released last, of whatever
// connection. What spreads the leases is that there are few of them. No connection has more leases than `leaseCap`, which is
// raised for all connections at once, and only when a caller finds no idle lease. It is lowered when another connection is
// checked out, and at regular intervals.

extension SharedPoolEngine {
    /// Whether to open one more connection beside the callers: there are fewer than `maxSize`, and more callers than connections.
    /// `false` with the other policy. O(connections).
    ///
    /// - Parameter running: How many tasks wait for a connection.
    func lacksConnection(running: Int) -> Bool {
        guard settings.spreadsLeases else { return false }
        let counts = connections.core.counts
        let missing = counts.limits.maxSize - counts.idle - counts.leased
        return max(running, counts.opening) < missing
            && (core.waiting > running || leaseCap.load(ordering: .relaxed) > 1)
    }

    /// Lets each connection have one more lease, because callers wait. Returns whether a lease was made. O(connections).
    func raiseLeaseCap() -> Bool {
        guard settings.spreadsLeases, core.hasWaiters else { return false }
        let cap = leaseCap.load(ordering: .sequentiallyConsistent)
        var hasRoom = false
        forEachStayingCheckout { header in
            if header.pointee.knownLimit.load(ordering: .relaxed) > cap { hasRoom = true }
        }
        guard hasRoom, cap < Self.mostLeases else { return false }
        // If another thread has changed the cap, its leases are for the same waiters.
        _ = leaseCap.compareExchange(expected: cap, desired: cap + 1, ordering: .sequentiallyConsistent)
        return growLeases()
    }

    /// Lowers the number of leases that each connection has, if fewer suffice for the callers that hold or want one. The caller
    /// reconciles afterwards. O(connections + leases).
    ///
    /// - Parameter reserve: How many leases more there should be.
    func lowerLeaseCap(reserve: Int) {
        guard settings.spreadsLeases else { return }
        var staying = 0
        forEachStayingCheckout { _ in staying += 1 }
        guard staying > 0 else { return }
        let callers = core.counts.leased + core.waiting + reserve
        let needed = max(1, (callers + staying - 1) / staying)
        let cap = leaseCap.load(ordering: .sequentiallyConsistent)
        guard needed < cap,
            leaseCap.compareExchange(expected: cap, desired: needed, ordering: .sequentiallyConsistent).exchanged
        else { return }
        forEachStayingCheckout { header in
            if header.pointee.state.leases > needed { loseLeases(header) }
        }
        sweeps.request()
    }

    private func forEachStayingCheckout(_ visit: (UnsafeMutablePointer<SharingHeader>) -> Void) {
        forEachCheckout { header, _ in
            if !isLeaving(SharingUsage(header: header, state: header.pointee.state)) { visit(header) }
        }
    }
}
