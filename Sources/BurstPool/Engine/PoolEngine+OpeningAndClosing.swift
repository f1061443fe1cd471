extension _PoolEngine {
    /// Opens a connection on behalf of a waiter, in a task of its own: the waiter may be served by a connection that comes
    /// back first, or leave, and the connection then serves another one.
    @usableFromInline
    func open(for ticket: Core.Ticket, _ permit: Core.Lease) {
        Task {
            do {
                connection(of: permit).initialize(to: try await strategy.makeConnection())
            } catch {
                latestOpenError.store(error)
                observer?.connectionPool(failedToOpen: error)
                core.cancelOpen(permit)
                connectTurns?.giveBack()
                if case .claimed(let waiter) = core.claimWait(ticket) { fail(waiter, error) }
                settle()
                return
            }
            latestOpenError.store(nil)
            core.finishOpen(permit)
            connectTurns?.giveBack()
            if case .claimed(let waiter) = core.claimWait(ticket) {
                serve(waiter, permit)
                if connectTurns != nil { settle() }
            } else {
                release(permit)
            }
        }
    }

    /// Closes a connection that is of no more use.
    @usableFromInline
    func closeInBackground(_ lease: Core.Lease) {
        core.beginClose(lease)
        finishClosingInBackground(lease)
    }

    @usableFromInline
    func finishClosingInBackground(_ lease: Core.Lease) {
        Task.detached { [self] in
            if let error = await finishClosing(lease) { observer?.connectionPool(failedToClose: error) }
        }
    }

    /// ``finishClosing(_:)``, also if the caller's task has been cancelled: a strategy that heeds that would leave the
    /// connection open.
    func finishClosingUncancelled(_ lease: Core.Lease) async -> (any Error)? {
        await Task { await finishClosing(lease) }.value
    }

    /// Closes a connection whose lease is in closing, and frees its place. Returns the error of closing.
    func finishClosing(_ lease: Core.Lease) async -> (any Error)? {
        var failure: (any Error)?
        do {
            try await strategy.closeConnection(connection(of: lease).move())
        } catch {
            failure = error
        }
        core.finishClose(lease)
        settle()
        return failure
    }
}
