// The hot path: a connection that is idle, and nothing special about it.

extension _PoolEngine {
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: Duration?,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        let lease = try await acquire(timeout: timeout, _LeaseSite(fileID, line, isScoped: true))
        let result: Result
        do {
            result = try await body(&connection(of: lease).pointee)
        } catch {
            await giveBack(lease, after: error)
            throw error
        }
        try await giveBack(lease)
        return result
    }

    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: Duration?,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        let lease = try await acquire(timeout: timeout, _LeaseSite(fileID, line, isScoped: true))
        let result: Result
        do {
            result = try body(&connection(of: lease).pointee)
        } catch {
            await giveBack(lease, after: error)
            throw error
        }
        try await giveBack(lease)
        return result
    }

    @inlinable @inline(__always)
    public func acquire(
        timeout: Duration?,
        fileID: StaticString = #fileID,
        line: Int = #line
    ) async throws -> Core.Lease {
        try await acquire(timeout: timeout, _LeaseSite(fileID, line, isScoped: false))
    }

    @inlinable @inline(__always)
    func acquire(timeout: Duration?, _ site: _LeaseSite) async throws -> Core.Lease {
        if let idle = core.tryAcquire(), try take(idle, site, ifStale: .returnIdle) { return idle }
        return try await acquireSlowly(timeout: timeout, site)
    }

    /// Makes a connection that was idle the caller's, if it can be handed out. If not, the lease has ended.
    ///
    /// - Throws: As ``isOpen(_:)``.
    @inlinable @inline(__always)
    func take(_ idle: Core.Lease, _ site: _LeaseSite, ifStale: StaleConnection) throws -> Bool {
        let flags = header(of: idle).pointee.flags(.concernCaller)
        if flags.isEmpty { return try isOpen(idle) }
        if flags.isSubset(of: .isNotedAtOnce) {
            guard try isOpen(idle) else { return false }
            if flags.contains(.isTracked) { record(of: idle).pointee.note(site) }
            if flags.contains(.isCounted) { record(of: idle).pointee.countIdleLease() }
            return true
        }
        guard flags.isDisjoint(with: .concernTaking) || takesSpecially(idle, flags, ifStale), try isOpen(idle) else {
            return false
        }
        noteSpecially(idle, site, flags)
        return true
    }

    @inlinable @inline(__always)
    func giveBack(_ lease: Core.Lease) async throws {
        if endsSpecially(lease) { return }
        if core.release(lease), let excess = reconcile(mayCloseInline: true) { try await closeAfterReturn(excess) }
    }

    @inlinable @inline(__always)
    func giveBack(_ lease: Core.Lease, after error: any Error) async {
        switch unretainedStrategy._withUnsafeGuaranteedRef({ $0.connectionVerdict(after: error) }) {
        case .keep: break
        case .discard: discard(lease)
        case .evictAll: discard(lease)
        }
        if endsSpecially(lease) { return }
        if core.release(lease), let excess = reconcile(mayCloseInline: true) { await closeAfterFailure(excess) }
    }

    @inlinable
    public func tryAcquire(fileID: StaticString = #fileID, line: Int = #line) -> Core.Lease? {
        while let idle = core.tryAcquire() {
            let site = _LeaseSite(fileID, line, isScoped: false)
            if (try? take(idle, site, ifStale: .use)) == true { return idle }
        }
        return nil
    }

    @inlinable
    public func release(_ lease: Core.Lease) {
        if endsSpecially(lease) { return }
        if core.release(lease) { reconcile() }
    }

    /// Whether the strategy takes this connection for open. If not, the lease has ended.
    ///
    /// - Throws: `CancellationError`, if that is what the strategy threw.
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

    @inlinable @inline(__always)
    func endsSpecially(_ lease: Core.Lease) -> Bool {
        let flags = header(of: lease).pointee.flags(.concernReturn)
        return !flags.isEmpty && returnsSpecially(lease, flags)
    }

    // Specialised doors to what is not, through which a lease goes in registers: generic code takes it from memory, to
    // which the hot path would have to write it each time.

    @inlinable @inline(never)
    func takesSpecially(_ lease: Core.Lease, _ flags: ConnectionFlags, _ ifStale: StaleConnection) -> Bool {
        isFit(lease, flags, ifStale: ifStale)
    }

    @inlinable @inline(never)
    func noteSpecially(_ lease: Core.Lease, _ site: _LeaseSite, _ flags: ConnectionFlags) {
        noteLease(lease, site, flags)
        if flags.contains(.isCounted) { record(of: lease).pointee.countIdleLease() }
        if flags.contains(.isObserved) { tellOfLease(lease) }
    }

    @inlinable @inline(never)
    func returnsSpecially(_ lease: Core.Lease, _ flags: ConnectionFlags) -> Bool {
        endSpecially(lease, flags)
    }
}
