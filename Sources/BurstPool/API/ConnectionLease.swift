// SPDX-License-Identifier: Apache-2.0

/// The temporary right to a connection, which ends with ``release()`` or at the end of its scope.
///
/// A lease cannot be copied, so it cannot end twice. Prefer `withConnection` where a connection is used within one scope.
public struct ConnectionLease<Strategy: ConnectionStrategy>: ~Copyable {
    @usableFromInline let engine: _PoolEngine<Strategy, _ConcurrencyKitCore>
    @usableFromInline let lease: _ConcurrencyKitCore.Lease

    @inlinable
    init(_ engine: _PoolEngine<Strategy, _ConcurrencyKitCore>, _ lease: _ConcurrencyKitCore.Lease) {
        self.engine = engine
        self.lease = lease
    }

    /// The connection. Do not keep a copy beyond the end of the lease.
    public var connection: Strategy.Connection {
        @inlinable _read { yield engine.connection(of: lease).pointee }
        @inlinable _modify { yield &engine.connection(of: lease).pointee }
    }

    /// Releases the connection to the pool. This does not suspend: an excess connection is closed in the background, and an
    /// error of the close goes to the observer.
    @inlinable
    public consuming func release() {
        // The end of the scope releases the connection.
    }

    /// Ends the lease and closes the connection, because it no longer works. The close runs in the background.
    @inlinable
    public consuming func discard() {
        engine.discard(lease)
    }

    /// Ends the lease and takes the connection out of the pool. It belongs to the caller from now on, who also closes it. Its
    /// slot in the pool is free.
    @inlinable
    public consuming func detach() -> sending Strategy.Connection {
        engine.detach(lease)
    }

    @inlinable
    deinit {
        engine.release(lease)
    }
}

extension ConnectionLease: Sendable where Strategy.Connection: Sendable {}

/// What a body of `withConnection` can do with the lease of its connection.
///
/// ```swift
/// let messages = try await pool.withConnection { connection, lease in
///     try await connection.subscribe()
///     return lease.detach()          // The connection belongs to the caller from now on.
/// }
/// ```
public struct ConnectionLeaseControl<Strategy: ConnectionStrategy>: ~Copyable {
    @usableFromInline let engine: _PoolEngine<Strategy, _ConcurrencyKitCore>
    @usableFromInline let lease: _ConcurrencyKitCore.Lease

    @inlinable
    init(_ engine: _PoolEngine<Strategy, _ConcurrencyKitCore>, _ lease: _ConcurrencyKitCore.Lease) {
        self.engine = engine
        self.lease = lease
    }

    /// Closes the connection when the body ends, because it no longer works.
    @inlinable
    public func discard() {
        engine.discard(lease)
    }

    /// Takes the connection out of the pool. It belongs to the caller from now on, who also closes it. Its slot in the pool
    /// becomes free when the body ends. Call this at most once.
    @inlinable
    public func detach() -> sending Strategy.Connection {
        engine.detach(lease)
    }
}
