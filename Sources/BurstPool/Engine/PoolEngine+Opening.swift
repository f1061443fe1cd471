import Synchronization

extension _PoolEngine {
    /// Opens a connection in a task of its own: the waiter on whose behalf it is may be served by a connection that comes
    /// back first, or leave, and the connection then serves another one.
    ///
    /// - Parameter ticket: The waiter's; `nil`: for the pool's own stock.
    @usableFromInline
    func startOpening(_ permit: Core.Lease, for ticket: Core.Ticket?) {
        if maintenance.interval != nil { startMaintenance() }
        noteTotal()
        let header = header(of: permit)
        header.pointee.flags.store(initialFlags.rawValue, ordering: .relaxed)
        header.pointee.expiresAt.store(0, ordering: .relaxed)
        let began = isObserved ? clock.now : 0
        connectGate?.noteAttempt { noteBreaker($0) }
        let opener = Canceller()
        header.pointee.storeAbortHandle { opener.cancel() }
        let attempt = Claim()
        let watcher = after(settings.connectTimeout) { [self] in
            guard attempt.take() else { return }
            opener.cancel()
            openingFailed(
                ConnectionPoolError.connectTimedOut(after: settings.connectTimeout ?? .zero, statistics),
                for: ticket,
                since: began
            )
        }
        opener.watch(
            Task.detached { [self] in
                let failure = await openConnection(permit)
                watcher?.cancel()
                let isInTime = attempt.take()
                if let failure {
                    core.cancelOpen(permit)
                    noteTotal()
                    if isInTime { openingFailed(failure, for: ticket, since: began) } else { placeIsFree() }
                } else {
                    opened(permit, for: isInTime ? ticket : nil, isInTime: isInTime, since: began)
                }
            }
        )
    }

    /// Returns why there is none.
    private func openConnection(_ permit: Core.Lease) async -> (any Error)? {
        let connection = connection(of: permit)
        do {
            connection.initialize(to: try await strategy.makeConnection())
        } catch {
            _ = header(of: permit).pointee.takeAbortHandle()
            return error
        }
        do {
            try await strategy.prepareConnection(&connection.pointee)
        } catch {
            _ = header(of: permit).pointee.takeAbortHandle()
            await closeUnprepared(connection.move())
            return error
        }
        _ = header(of: permit).pointee.takeAbortHandle()
        if let abort = strategy.abortHandle(for: connection.pointee) {
            header(of: permit).pointee.storeAbortHandle(abort)
        }
        if let lifetime = settings.maxLifetime {
            // The sixteenth is what retiring an eighth at a time can take: no connection gets older than it may.
            let share = (1 - Double.random(in: 0...1) * settings.lifetimeJitter) * 15 / 16
            let expiry = clock.now.addingReportingOverflow(UInt64(Double(lifetime) * share))
            // It may have been told to go earlier while it was being opened.
            if !expiry.overflow { header(of: permit).pointee.lowerExpiry(to: expiry.partialValue) }
        }
        return nil
    }

    /// Returns when the close has ended, or has taken too long. In a task of its own: the present one may have been cancelled,
    /// and a strategy that heeds that would leave the connection open.
    private func closeUnprepared(_ connection: sending Strategy.Connection) async {
        nonisolated(unsafe) let connection = connection
        let ended = OneShot()
        let watcher = after(settings.closeTimeout) { ended.fire(.timedOut) }
        Task.detached { [strategy] in
            try? await strategy.closeConnection(connection)
            ended.fire(.done)
        }
        if await ended.wait() == .timedOut { observer?.connectionPool(.closeTimedOut(.preparationFailed)) }
        watcher?.cancel()
    }

    private func opened(_ permit: Core.Lease, for ticket: Core.Ticket?, isInTime: Bool, since began: UInt64) {
        latestOpenError.store(nil)
        let header = header(of: permit)
        let isEvicted = !header.pointee.flags(.isEvicted).isEmpty
        if ticket != nil, isObserved { header.pointee.set(.isFresh) }
        maintenance.internalUse.begin()
        core.finishOpen(permit)
        if isInTime { connectGate?.succeeded { noteBreaker($0) } }
        observer?.connectionPool(.opened(duration: clock.elapsed(since: began), wait: wait(of: ticket)))
        if isEvicted {
            closeInBackground(permit, .evicted)
            if let ticket { _ = core.requeueWait(ticket) }
            reconcile()
        } else if core.isPaused {
            // Nothing is handed out now. Whoever it was for is the oldest of those who wait, and gets it afterwards.
            header.pointee.clear(.isFresh)
            if let ticket { _ = core.requeueWait(ticket) }
            _ = core.release(permit)
            reconcile()
        } else if let ticket, case .claimed(let waiter) = core.claimWait(ticket) {
            serve(waiter, permit)
            if connectGate != nil { reconcile() }
        } else {
            if ticket != nil { header.pointee.clear(.isFresh) }
            if core.release(permit) || connectGate != nil { reconcile() }
        }
        endInternalUse()
        // A turn is free. Not after a failure: that would try again without a pause.
        if connectGate != nil { topUp() }
        openingEnded.fire()
    }

    private func openingFailed(_ error: any Error, for ticket: Core.Ticket?, since began: UInt64) {
        latestOpenError.store(error)
        latestFailure.store(error)
        failedOpens.add(1, ordering: .releasing)
        let retries = connectGate?.retries ?? false
        let isPermanent = retries && strategy.connectErrorIsPermanent(error)
        let willRetry = retries && !isPermanent
        connectGate?.failed(isPermanent: isPermanent, now: { clock.now }) { noteBreaker($0) }
        observer?.connectionPool(
            .openFailed(
                error,
                duration: clock.elapsed(since: began),
                willRetry: willRetry,
                wait: wait(of: ticket)
            )
        )
        if let ticket {
            if willRetry {
                _ = core.requeueWait(ticket)
            } else if case .claimed(let waiter) = core.claimWait(ticket) {
                fail(waiter, error)
            }
        }
        if isPermanent, core.total == 0 { failAllWaiters(error) }
        reconcile()
        openingEnded.fire()
    }

    private func wait(of ticket: Core.Ticket?) -> ConnectionWait? {
        ticket.map { ConnectionWait(number: core.number(of: $0)) }
    }

    // MARK: The pool's own stock

    /// Opens connections that nobody has asked for, as many as are missing.
    @usableFromInline
    func topUp() {
        guard settings.minimumIdle > 0 || maintenance.warmTarget > 0, !core.isShutDown else { return }
        // A pool that is full, as it is while many wait, need not be counted.
        guard core.total < limits.maxSize else { return }
        // Two that have counted the same would open twice as many.
        maintenance.stocking.perform { openMissing() }
    }

    /// The pool itself has ended using a connection.
    func endInternalUse() {
        if maintenance.internalUse.end() { topUp() }
    }

    private func openMissing() {
        let count = maintenance.internalUse.counting { core.counts }
        let counts = count.counts
        let open = counts.idle + counts.leased + counts.opening
        let notIdle = settings.minimumIdle - counts.idle - counts.opening
        // The one at it is asked to do it once more.
        if notIdle > 0, count.inUse > 0, maintenance.internalUse.awaitEnd(since: count) { topUp() }
        let missing = min(
            max(notIdle - count.inUse, maintenance.warmTarget - open),
            limits.maxSize - open - counts.closing
        )
        guard missing > 0 else { return }
        for _ in 0..<missing {
            // Who opens for nobody need not wait for a connection to come back first.
            if let connectGate, !passes(connectGate, mayReturn: false) { return }
            guard let permit = core.beginOpenUnrequested() else {
                connectGate?.giveBackUnused()
                // Somebody may have wanted the turn while it was in hand.
                if connectGate != nil, core.hasPermitForWaiter { reconcile() }
                return
            }
            startOpening(permit, for: nil)
        }
    }
}
