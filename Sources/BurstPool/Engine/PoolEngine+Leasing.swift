// The hot path: a connection that is idle, and nothing special about it.

extension _PoolEngine {
    @inlinable
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

    @inlinable
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

    @inlinable
    public func acquire(
        timeout: Duration?,
        fileID: StaticString = #fileID,
        line: Int = #line
    ) async throws -> Core.Lease {
        try await acquire(timeout: timeout, _LeaseSite(fileID, line, isScoped: false))
    }

    @inlinable
    func acquire(timeout: Duration?, _ site: _LeaseSite) async throws -> Core.Lease {
        guard let idle = core.tryAcquire(), try isUsable(idle) else {
            return try await acquireSlowly(timeout: timeout, site)
        }
        noteLease(idle, site)
        return idle
    }

    @inlinable
    func giveBack(_ lease: Core.Lease) async throws {
        if endsSpecially(lease) { return }
        if core.release(lease), let surplus = settle(mayCloseInline: true) { try await closeAfterReturn(surplus) }
    }

    @inlinable
    func giveBack(_ lease: Core.Lease, after error: any Error) async {
        if unretainedStrategy._withUnsafeGuaranteedRef({ $0.connectionIsBroken(after: error) }) { discard(lease) }
        if endsSpecially(lease) { return }
        if core.release(lease), let surplus = settle(mayCloseInline: true) { await closeAfterFailure(surplus) }
    }

    @inlinable
    public func tryAcquire(fileID: StaticString = #fileID, line: Int = #line) -> Core.Lease? {
        while let idle = core.tryAcquire() {
            if (try? isUsable(idle, ifStale: .use)) == true {
                noteLease(idle, _LeaseSite(fileID, line, isScoped: false))
                return idle
            }
        }
        return nil
    }

    @inlinable
    public func release(_ lease: Core.Lease) {
        if endsSpecially(lease) { return }
        if core.release(lease) { settle() }
    }

    /// Whether this connection can be handed out. If not, the lease has ended.
    ///
    /// - Throws: `CancellationError`, if that is what the strategy threw.
    @inlinable
    func isUsable(_ lease: Core.Lease, ifStale: StaleConnection = .putBack) throws -> Bool {
        let marks = header(of: lease).pointee.marks(.concernTaking)
        if !marks.isEmpty, !isFit(lease, marks, ifStale: ifStale) { return false }
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
    func noteLease(_ lease: Core.Lease, _ site: _LeaseSite) {
        let marks = header(of: lease).pointee.marks(.concernLease)
        if !marks.isEmpty { noteSpecialLease(lease, site, marks) }
    }

    @inlinable @inline(__always)
    func endsSpecially(_ lease: Core.Lease) -> Bool {
        let marks = header(of: lease).pointee.marks(.concernReturn)
        return !marks.isEmpty && endSpecially(lease, marks)
    }
}
