// SPDX-License-Identifier: Apache-2.0

import Synchronization

// A connection is checked out: the engine of the connections leases it as a whole, and a slot is made for each of its leases.

extension SharedPoolEngine {
    /// Makes the leases of a connection that the engine of the connections has leased. The caller reconciles afterwards.
    func checkOut(_ checkout: Core.Lease) {
        let header = header(ofConnection: checkout)
        let connection = connections.connection(of: checkout).pointee
        let limit = strategy.leaseLimit(of: connection)
        header.pointee.knownLimit.store(limit, ordering: .relaxed)
        expectedLimit.store(min(max(1, limit), leaseCap.load(ordering: .relaxed)), ordering: .relaxed)
        header.pointee.word.store(
            SharingState.pinned(notesLeases: settings.notesLeases).bits,
            ordering: .sequentiallyConsistent
        )
        // Before a caller gets a lease, so that its release can be the one that ends the burst.
        noteBurst()
        lookSoon()
        lowerLeaseCap(reserve: 0)
        addLeases(header, checkout, connection)
        if unpin(header) { return returnConnection(checkout) }
        // The connection may have been retired, and the pool shut down, before the header said that it is checked out.
        if core.isShutDown || !connections.header(of: checkout).pointee.flags(.isRetired).isEmpty {
            loseLeases(header)
            sweeps.request()
        }
    }

    /// Checks out a connection that is idle, if there is one. Returns whether there was. The caller reconciles afterwards.
    ///
    /// - Parameter ifStale: What to do with a connection that must be validated first.
    /// - Throws: `CancellationError`, if the strategy threw it.
    func checkOutIdleConnection(ifStale: StaleConnection) throws -> Bool {
        while let checkout = connections.core.tryAcquire() {
            if try connections.handOut(checkout, _LeaseSite(#fileID, #line, isScoped: false), ifStale: ifStale) {
                checkOut(checkout)
                return true
            }
            if ifStale == .returnIdle { return false }
        }
        return false
    }

    /// Returns a connection of which no lease is left, and reconciles.
    @usableFromInline
    func returnConnection(_ checkout: Core.Lease) {
        giveBack(checkout)
        reconcile()
    }

    /// Returns a connection of which no lease is left. The caller reconciles afterwards.
    func giveBack(_ checkout: Core.Lease) {
        noteUnused()
        connections.release(checkout)
    }

    /// Notes that no lease of a connection is left, before the connection is returned.
    private func noteUnused() {
        if core.isPaused { leaseEnded.fire() }
        dropUnneededSupplies()
    }

    /// Returns a connection after a body that returned, and throws the error of its close.
    @usableFromInline
    func returnConnectionAfterBody(_ checkout: Core.Lease) async throws {
        noteUnused()
        defer { reconcile() }
        try await connections.releaseAfterBody(checkout)
    }

    /// Returns a connection after a body that threw, whose error wins over that of a close.
    @usableFromInline
    func returnConnectionAfterFailure(_ checkout: Core.Lease) async {
        noteUnused()
        defer { reconcile() }
        await connections.releaseAfterFailure(checkout)
    }

    // MARK: Making leases

    /// Makes leases until the connection has as many as it should have, and gives them to waiters. The caller has a lease or a
    /// pin of the connection.
    ///
    /// - Returns: Whether a lease was made.
    @discardableResult
    func addLeases(
        _ header: UnsafeMutablePointer<SharingHeader>,
        _ checkout: Core.Lease,
        _ connection: Strategy.Connection
    ) -> Bool {
        var hasAdded = false
        while true {
            let reserved = header.pointee.change { state in
                state.leases < allowedLeases(state, checkout, connection) ? state.withLease : nil
            }
            guard reserved != nil else { return hasAdded }
            guard makeLease(header, checkout, connection) else {
                _ = header.pointee.change { $0.withoutLease }
                return hasAdded
            }
            hasAdded = true
        }
    }

    /// Makes a lease that is counted already. Returns `false` if the core has no memory for it or was shut down, or if it cannot
    /// tell whether a caller is about to wait.
    private func makeLease(
        _ header: UnsafeMutablePointer<SharingHeader>,
        _ checkout: Core.Lease,
        _ connection: Strategy.Connection
    ) -> Bool {
        // A caller that is about to join the queue makes the core refuse both for a moment. That caller then adds the lease
        // itself (growLeases), so this thread need not wait for it.
        for _ in 0..<4 {
            switch core.beginOpen() {
            case .opening(let ticket, let permit):
                fill(permit, header, checkout, connection)
                core.finishOpen(permit)
                if case .claimed(let waiter) = core.claimWait(ticket) {
                    serve(waiter, permit)
                } else {
                    // The caller of this function reconciles.
                    _ = core.release(permit)
                }
                return true
            case .outOfMemory:
                // Otherwise the waiters would ask for leases again and again.
                if let waiter = core.handOff() {
                    fail(waiter, ConnectionPoolError.outOfMemory(statistics, poolName: settings.name))
                }
                return false
            case .nothing:
                guard let permit = core.beginOpenUnrequested() else { continue }
                fill(permit, header, checkout, connection)
                core.finishOpen(permit)
                _ = core.release(permit)
                return true
            }
        }
        return false
    }

    private func fill(
        _ permit: Core.Lease,
        _ header: UnsafeMutablePointer<SharingHeader>,
        _ checkout: Core.Lease,
        _ connection: Strategy.Connection
    ) {
        self.checkout(of: permit).initialize(to: checkout)
        self.connection(of: permit).initialize(to: connection)
        inspection(of: permit).pointee.store(0, ordering: .relaxed)
        if settings.notesLeases { record(of: permit).pointee.overdueSince.store(0, ordering: .relaxed) }
        headerAddress(of: permit).pointee.store(UInt(bitPattern: header), ordering: .releasing)
    }

    // MARK: Connections that are checked out

    /// Calls a function for every connection that is checked out, and keeps it from being returned meanwhile. O(connections).
    func pinEachCheckout(
        where isWanted: (SharingState) -> Bool = { _ in true },
        _ visit: (UnsafeMutablePointer<SharingHeader>, Core.Lease, Strategy.Connection) -> Void
    ) {
        forEachCheckout { header, index in
            guard isWanted(header.pointee.state),
                header.pointee.change({ $0.isEmpty ? nil : $0.withPin }) != nil,
                // Read with the pin, so this is the lease by which the connection is checked out now.
                let checkout = connections.core.slot(at: index)?.lease
            else { return }
            visit(header, checkout, connections.connection(of: checkout).pointee)
            if unpin(header) { returnConnection(checkout) }
        }
    }

    /// Makes the leases that limits allow which were raised. Returns whether there were any. O(connections).
    func growLeases() -> Bool {
        var hasGrown = false
        pinEachCheckout { header, checkout, connection in
            updateLimit(header, checkout, connection)
            guard header.pointee.state.leases < allowedLeases(header.pointee.state, checkout, connection) else {
                return
            }
            if (try? strategy.connectionIsClosed(connection)) != false {
                connections.header(of: checkout).pointee.set(.hasClosed)
                loseLeases(header)
                sweeps.request()
            } else if addLeases(header, checkout, connection) {
                hasGrown = true
            }
        }
        return hasGrown
    }

    /// Notes the limit of a connection, and makes it lose the leases above the limit. The caller has a lease or a pin of the
    /// connection, and then adds leases if the limit was raised.
    func updateLimit(
        _ header: UnsafeMutablePointer<SharingHeader>,
        _ checkout: Core.Lease,
        _ connection: Strategy.Connection
    ) {
        let limit = strategy.leaseLimit(of: connection)
        header.pointee.knownLimit.store(limit, ordering: .sequentiallyConsistent)
        let state = header.pointee.state
        guard state.leases > allowedLeases(state, checkout, connection) else { return }
        loseLeases(header)
        sweeps.request()
    }

    /// Lets waiters have the connections again that are winding down. Returns whether a lease was made. O(connections).
    func revive() -> Bool {
        guard windingDown.load(ordering: .sequentiallyConsistent) > 0 else { return false }
        var hasRevived = false
        pinEachCheckout(where: { $0.contains(SharingState.isWindingDown) }) { header, checkout, connection in
            guard !hasRevived, connections.header(of: checkout).pointee.flags(.isRetired).isEmpty,
                header.pointee.change({
                    $0.contains(SharingState.isWindingDown) ? $0.without(SharingState.isWindingDown) : nil
                }) != nil
            else { return }
            windingDown.subtract(1, ordering: .sequentiallyConsistent)
            shrinking.reset()
            if addLeases(header, checkout, connection) { hasRevived = true }
        }
        return hasRevived
    }
}

extension SharedPoolEngine: SharingEngine {
    func leaseLimitsChanged() {
        _ = growLeases()
        // A connection that is not checked out, and whose limit is 0 now, is closed.
        connections.maintain(checksForClosed: true)
        reconcile()
    }

    func connectionsWereFlagged() {
        var areRetired = false
        pinEachCheckout { header, checkout, _ in
            guard !connections.header(of: checkout).pointee.flags(.isRetired).isEmpty else { return }
            loseLeases(header)
            areRetired = true
        }
        if areRetired { sweepLeases() }
    }
}
