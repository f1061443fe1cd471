// SPDX-License-Identifier: Apache-2.0

// The fast path: acquiring and releasing an idle connection without flags. It takes no lock, does not suspend or allocate, and
// does not read the clock.

extension _PoolEngine {
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: AcquireTimeout,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        let lease = try await acquire(timeout: timeout, _LeaseSite(fileID, line, isScoped: true))
        header(of: lease).pointee.holder.note()
        let result: Result
        do {
            result = try await body(&connection(of: lease).pointee)
        } catch {
            header(of: lease).pointee.holder.clear()
            await release(lease, after: error)
            throw error
        }
        header(of: lease).pointee.holder.clear()
        try await releaseAfterBody(lease)
        return result
    }

    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: AcquireTimeout,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        let lease = try await acquire(timeout: timeout, _LeaseSite(fileID, line, isScoped: true))
        let result: Result
        do {
            result = try body(&connection(of: lease).pointee)
        } catch {
            await release(lease, after: error)
            throw error
        }
        try await releaseAfterBody(lease)
        return result
    }

    @inlinable @inline(__always)
    public func acquire(
        timeout: AcquireTimeout,
        fileID: StaticString = #fileID,
        line: Int = #line
    ) async throws -> Core.Lease {
        try await acquire(timeout: timeout, _LeaseSite(fileID, line, isScoped: false))
    }

    @inlinable @inline(__always)
    func acquire(timeout: AcquireTimeout, _ site: _LeaseSite) async throws -> Core.Lease {
        if let idle = try acquireIdle(site) { return idle }
        return try await acquireSlowly(timeout: timeout, site)
    }

    /// Acquires an idle connection, unless it must be closed or validated first. Returns `nil` then, and if none is idle.
    @inlinable @inline(__always)
    func acquireIdle(_ site: _LeaseSite) throws -> Core.Lease? {
        if let idle = core.tryAcquire(), try handOut(idle, site, ifStale: .returnIdle) { return idle }
        return nil
    }

    @inlinable
    public func tryAcquire(fileID: StaticString = #fileID, line: Int = #line) -> Core.Lease? {
        while let idle = core.tryAcquire() {
            let site = _LeaseSite(fileID, line, isScoped: false)
            if (try? handOut(idle, site, ifStale: .use)) == true { return idle }
        }
        return nil
    }

    /// Checks a connection that was idle, and returns whether the caller can use it. If not, the lease has ended.
    ///
    /// - Throws: What ``isOpen(_:)`` throws.
    @inlinable @inline(__always)
    func handOut(_ idle: Core.Lease, _ site: _LeaseSite, ifStale: StaleConnection) throws -> Bool {
        let flags = header(of: idle).pointee.flags(.concernAcquire)
        if flags.isEmpty { return try isOpen(idle) }
        if flags.isSubset(of: .isNotedInline) {
            guard try isOpen(idle) else { return false }
            noteIdleLease(idle, site, flags)
            return true
        }
        guard flags.isDisjoint(with: .concernHandOut) || isUsableUncommonly(idle, flags, ifStale), try isOpen(idle)
        else {
            return false
        }
        noteUncommonly(idle, site, flags)
        return true
    }

    /// Records the place and the task of a lease of a connection that was idle, and counts the lease.
    @inlinable @inline(__always)
    func noteIdleLease(_ lease: Core.Lease, _ site: _LeaseSite, _ flags: ConnectionFlags) {
        noteLease(lease, site, flags)
        if flags.contains(.isCounted) { record(of: lease).pointee.countIdleLease() }
    }

    /// Records where in the source and by which task a connection is acquired.
    @inlinable @inline(__always)
    func noteLease(_ lease: Core.Lease, _ site: _LeaseSite, _ flags: ConnectionFlags) {
        if flags.contains(.isTracked) { record(of: lease).pointee.note(site) }
        if flags.contains(.isNamed) { noteTaskName(lease) }
    }

    /// Asks the strategy whether a connection is open. If it is not, the lease has ended.
    ///
    /// - Throws: `CancellationError`, if the strategy threw it.
    @inlinable
    func isOpen(_ lease: Core.Lease) throws -> Bool {
        do {
            let isClosed = try unretainedStrategy._withUnsafeGuaranteedRef {
                try $0.connectionIsClosed(connection(of: lease).pointee)
            }
            if !isClosed { return true }
        } catch {
            closeInBackground(lease, .foundClosed)
            if error is CancellationError { throw error }
            return false
        }
        closeInBackground(lease, .foundClosed)
        return false
    }

    /// Releases a connection after a body that returned.
    @inlinable @inline(__always)
    func releaseAfterBody(_ lease: Core.Lease) async throws {
        if let excess = endLease(lease) { try await closeAfterRelease(excess) }
    }

    /// Releases a connection after a body that returned. Returns an excess connection that the caller must close.
    @inlinable @inline(__always)
    func endLease(_ lease: Core.Lease) -> Core.Lease? {
        if endsUncommonly(lease) { return nil }
        let outcome = core.releaseUnlessAwaited(lease)
        if outcome == .released { return nil }
        return finishRelease(lease, outcome, mayCloseInline: settings.throwsCloseErrors)
    }

    /// Releases a connection after a body that threw.
    @inlinable @inline(__always)
    func release(_ lease: Core.Lease, after error: any Error) async {
        judge(lease, after: error)
        await releaseAfterFailure(lease)
    }

    /// Releases a connection after a body that threw, when the strategy has given its verdict already.
    @inlinable @inline(__always)
    func releaseAfterFailure(_ lease: Core.Lease) async {
        if endsUncommonly(lease) { return }
        let outcome = core.releaseUnlessAwaited(lease)
        if outcome == .released { return }
        if let excess = finishRelease(lease, outcome, mayCloseInline: settings.throwsCloseErrors, hasFailed: true) {
            await closeAfterFailure(excess)
        }
    }

    @inlinable @inline(__always)
    public func release(_ lease: Core.Lease) {
        if endsUncommonly(lease) { return }
        let outcome = core.releaseUnlessAwaited(lease)
        if outcome != .released { finishRelease(lease, outcome) }
    }

    @inlinable @inline(__always)
    func endsUncommonly(_ lease: Core.Lease) -> Bool {
        let flags = header(of: lease).pointee.flags(.concernRelease)
        return !flags.isEmpty && releasesUncommonly(lease, flags)
    }

    // The entries to the uncommon cases. The compiler specializes them, so they get the lease in registers. Unspecialized
    // generic code would get the lease in memory, and the fast path would have to store it there each time.

    @inlinable @inline(never)
    func isUsableUncommonly(_ lease: Core.Lease, _ flags: ConnectionFlags, _ ifStale: StaleConnection) -> Bool {
        isUsable(lease, flags, ifStale: ifStale)
    }

    @inlinable @inline(never)
    func noteUncommonly(_ lease: Core.Lease, _ site: _LeaseSite, _ flags: ConnectionFlags) {
        noteIdleLease(lease, site, flags)
        if flags.contains(.isObserved) { reportLease(lease) }
    }

    @inlinable @inline(never)
    func releasesUncommonly(_ lease: Core.Lease, _ flags: ConnectionFlags) -> Bool {
        releaseFlagged(lease, flags)
    }
}
