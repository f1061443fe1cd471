// SPDX-License-Identifier: Apache-2.0

import Synchronization

// The fast path: an idle lease of a connection about which nothing is special. It takes no lock, does not suspend or allocate,
// does not read the clock, and writes only the slot of the lease, which belongs to one caller at a time.

extension SharedPoolEngine {
    @inlinable @inline(__always)
    func withConnection<Result>(
        timeout: AcquireTimeout,
        fileID: StaticString,
        line: Int,
        _ body: (Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        let lease = try await acquire(timeout: timeout, _LeaseSite(fileID, line, isScoped: true))
        holder(of: lease).pointee.note()
        let result: Result
        do {
            result = try await body(connection(of: lease).pointee)
        } catch {
            holder(of: lease).pointee.clear()
            judge(lease, after: error)
            await releaseAfterFailure(lease)
            throw error
        }
        holder(of: lease).pointee.clear()
        try await releaseAfterBody(lease)
        return result
    }

    @inlinable @inline(__always)
    func withConnection<Result>(
        timeout: AcquireTimeout,
        fileID: StaticString,
        line: Int,
        _ body: (Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        let lease = try await acquire(timeout: timeout, _LeaseSite(fileID, line, isScoped: true))
        let result: Result
        do {
            result = try body(connection(of: lease).pointee)
        } catch {
            judge(lease, after: error)
            await releaseAfterFailure(lease)
            throw error
        }
        try await releaseAfterBody(lease)
        return result
    }

    @inlinable @inline(__always)
    func acquire(timeout: AcquireTimeout, _ site: _LeaseSite) async throws -> Core.Lease {
        if let idle = core.tryAcquire(), try handOut(idle, site) { return idle }
        return try await acquireSlowly(timeout: timeout, site)
    }

    /// Gives an idle lease to the caller, if its connection can be used. If not, the lease has ended.
    ///
    /// - Throws: As ``isOpen(_:)``.
    @inlinable @inline(__always)
    func handOut(_ idle: Core.Lease, _ site: _LeaseSite) throws -> Bool {
        let state = header(of: idle).pointee.stateNow
        if !state.isSpecial { return try isOpen(idle) }
        return try handOutUncommonly(idle, site)
    }

    /// Asks the strategy whether a connection is open, and whether its limit is the one that the pool knows. If the connection
    /// cannot be used, the lease has ended.
    ///
    /// - Throws: `CancellationError`, if the strategy threw it.
    @inlinable @inline(__always)
    func isOpen(_ lease: Core.Lease) throws -> Bool {
        let knownLimit = header(of: lease).pointee.knownLimit.load(ordering: .relaxed)
        let connection = connection(of: lease)
        var hasNewLimit = false
        do {
            let isClosed = try unretainedStrategy._withUnsafeGuaranteedRef {
                hasNewLimit = $0.leaseLimit(of: connection.pointee) != knownLimit
                return try $0.connectionIsClosed(connection.pointee)
            }
            if !isClosed, !hasNewLimit { return true }
            if isClosed {
                endClosed(lease)
                return false
            }
        } catch {
            endClosed(lease)
            if error is CancellationError { throw error }
            return false
        }
        return isWithinNewLimit(lease)
    }

    /// Releases a lease after a body that returned.
    @inlinable @inline(__always)
    func releaseAfterBody(_ lease: Core.Lease) async throws {
        if header(of: lease).pointee.stateNow.isSpecial {
            if let unused = releaseUncommonly(lease) { try await returnConnectionAfterBody(unused) }
            return
        }
        if needsAttention(afterReleaseOf: lease), let unused = attendAfterReturn() {
            try await returnConnectionAfterBody(unused)
        }
    }

    /// Releases a lease after a body that threw.
    @inlinable @inline(__always)
    func releaseAfterFailure(_ lease: Core.Lease) async {
        if header(of: lease).pointee.stateNow.isSpecial {
            if let unused = releaseUncommonly(lease) { await returnConnectionAfterFailure(unused) }
            return
        }
        if needsAttention(afterReleaseOf: lease), let unused = attend() { await returnConnectionAfterFailure(unused) }
    }

    @inlinable @inline(__always)
    func release(_ lease: Core.Lease) {
        if header(of: lease).pointee.stateNow.isSpecial {
            if let unused = releaseUncommonly(lease) { returnConnection(unused) }
            return
        }
        if needsAttention(afterReleaseOf: lease), let unused = attendAfterReturn() { returnConnection(unused) }
    }

    /// Puts a lease back, and returns whether there may be anything else to do.
    ///
    /// The release is a full barrier, so `attention` is read after the lease became idle. A thread that raises `attention`
    /// looks at the idle leases afterwards: at least one of the two threads sees what the other one has done.
    @inlinable @inline(__always)
    func needsAttention(afterReleaseOf lease: Core.Lease) -> Bool {
        core.release(lease) || attention.load(ordering: .relaxed) != 0
    }
}
