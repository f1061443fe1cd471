/// A connection in a caller's hands, which goes back to the pool when the lease ends.
///
/// A lease ends with ``release()``, or when it goes out of scope. It cannot be copied, so it cannot end twice.
/// Prefer ``ConnectionPool/withConnection(timeout:fileID:line:_:)-2x8j3`` where the use has the shape of a scope.
public struct ConnectionLease<Strategy: ConnectionStrategy>: ~Copyable {
    @usableFromInline let engine: _PoolEngine<Strategy, _ConcurrencyKitCore>
    @usableFromInline let lease: _ConcurrencyKitCore.Lease

    @inlinable
    init(_ engine: _PoolEngine<Strategy, _ConcurrencyKitCore>, _ lease: _ConcurrencyKitCore.Lease) {
        self.engine = engine
        self.lease = lease
    }

    /// The connection, for as long as the lease lasts.
    public var connection: Strategy.Connection {
        @inlinable _read { yield engine.connection(of: lease).pointee }
        @inlinable _modify { yield &engine.connection(of: lease).pointee }
    }

    /// Gives the connection back. It does not suspend: if the connection is excess it is closed in the background, and an
    /// error in closing goes to the observer.
    @inlinable
    public consuming func release() {
        // The end of the scope does it.
    }

    /// Ends the lease and has the connection closed, because it is of no more use. In the background, as ``release()``.
    @inlinable
    public consuming func discard() {
        engine.discard(lease)
    }

    /// Ends the lease and takes the connection out of the pool: it is the caller's from now on, to use and to close. Its
    /// place in the pool is free.
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
