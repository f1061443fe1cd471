// SPDX-License-Identifier: Apache-2.0

/// The temporary right to use a shared connection, which ends with ``release()`` or at the end of its scope.
///
/// Other callers may have leases of the same connection. A lease cannot be copied, so it cannot end twice. Prefer
/// `withConnection` where a connection is used within one scope.
public struct SharedConnectionLease<Strategy: SharedConnectionStrategy>: ~Copyable, Sendable {
    @usableFromInline let engine: SharedPoolEngine<Strategy, _ConcurrencyKitCore>
    @usableFromInline let lease: _ConcurrencyKitCore.Lease

    @inlinable
    init(_ engine: SharedPoolEngine<Strategy, _ConcurrencyKitCore>, _ lease: _ConcurrencyKitCore.Lease) {
        self.engine = engine
        self.lease = lease
    }

    /// The connection. Do not use it after the end of the lease.
    @inlinable public var connection: Strategy.Connection { engine.connection(of: lease).pointee }

    /// Ends the lease. This does not suspend: a connection that is not needed any more is closed in the background, and an error
    /// of the close goes to the observer.
    @inlinable
    public consuming func release() {
        // The end of the scope releases the lease.
    }

    /// Ends the lease, because the connection no longer works. The pool hands out no more leases of it, and closes it when the
    /// leases of other callers have ended.
    @inlinable
    public consuming func discard() {
        engine.discard(lease)
    }

    @inlinable
    deinit {
        engine.release(lease)
    }
}
