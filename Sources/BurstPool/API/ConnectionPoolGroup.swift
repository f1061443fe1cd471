// SPDX-License-Identifier: Apache-2.0

/// One pool for each key under one total, for example a pool for each tenant's database on one server.
///
/// ```swift
/// let group = try ConnectionPoolGroup(
///     maxTotal: 200,
///     perKey: .recommended(maxSize: 10, burstLimit: 20),
///     makeStrategy: { (tenant: String) in TenantStrategy(database: tenant) }
/// )
/// let rows = try await group.withConnection(for: "acme") { connection in
///     try await connection.query("SELECT 1")
/// }
/// await group.shutdown()
/// ```
///
/// A caller gets an idle connection of its key at once, as from a pool of its own. If none is idle, the key's pool opens one, as
/// long as the limits of the key and the total of the group allow it. When the total is used up, the connection of another key
/// that has been idle for longest is closed, and the caller's key gets its place. If no connection is idle, the caller waits:
/// first come, first served within a key.
///
/// Between keys, places are shared by weight. A key with more places than its part gives one up when a key with fewer needs one.
/// If there are more busy keys than places, keys take turns. So a busy key cannot starve a quiet one, and ``account(for:)`` says
/// what each key has got and given up.
///
/// A key that is not used for ``ConnectionPoolGroupConfiguration/keyIdleTimeout`` loses its pool and the memory of it. When it
/// is used again it gets a new one.
///
/// All methods may be called from any task and at the same time. A group that is dropped without ``shutdown(drainFor:)`` closes
/// its idle connections in the background.
public final class ConnectionPoolGroup<Key: Hashable & Sendable, Strategy: ConnectionStrategy>: Sendable {
    @usableFromInline let core: GroupCore<Key, Strategy>

    /// Creates a group in which all keys have the same settings.
    ///
    /// - Parameters:
    ///   - maxTotal: The most connections of all keys together, including opening and closing ones. At least 1.
    ///   - perKey: The configuration of each key's pool. Its limits apply to each key alone. The name of a pool is the `name` in
    ///     this configuration, a slash, and the key: observers, errors and events have it.
    ///   - makeStrategy: Makes the strategy for a key that has no pool. It must return quickly. If several callers come with a
    ///     new key at the same time, it can be called more than once, and all but one of the strategies are dropped unused.
    /// - Throws: ``ConnectionPoolError`` with `.invalidConfiguration`, which names the settings and their values, or
    ///   `.outOfMemory`.
    public convenience init(
        maxTotal: Int,
        perKey: ConnectionPoolConfiguration,
        makeStrategy: @escaping @Sendable (Key) throws -> Strategy
    ) throws {
        try self.init(
            configuration: ConnectionPoolGroupConfiguration(maxTotal: maxTotal, perKey: perKey),
            makeStrategy: makeStrategy
        )
    }

    /// Creates a group.
    ///
    /// - Parameters:
    ///   - configuration: The total, and what applies to each key.
    ///   - settings: Changes the settings of one key, such as its limits and its weight. It is called when the key gets a pool,
    ///     with ``ConnectionPoolGroupConfiguration/perKey`` and a weight of 1. An error reaches the caller who needs the pool.
    ///   - makeStrategy: Makes the strategy for a key that has no pool: see ``init(maxTotal:perKey:makeStrategy:)``.
    /// - Throws: ``ConnectionPoolError`` with `.invalidConfiguration`, which names the settings and their values, or
    ///   `.outOfMemory`.
    public init(
        configuration: ConnectionPoolGroupConfiguration,
        settings: @escaping @Sendable (Key, inout ConnectionPoolKeySettings) throws -> Void = { _, _ in },
        makeStrategy: @escaping @Sendable (Key) throws -> Strategy
    ) throws {
        core = try GroupCore(configuration, settings: settings, makeStrategy: makeStrategy)
    }

    deinit {
        core.abandon()
    }

    // MARK: Acquiring

    /// Acquires a connection of a key, runs a body with it, and releases it.
    ///
    /// If a connection of the key is idle, the call neither suspends nor allocates before it runs the body. It costs as much as
    /// with a pool of its own, plus a look-up of the key without a lock.
    ///
    /// - Parameters:
    ///   - key: The key, which gets a pool if it has none.
    ///   - timeout: How long to wait if no connection is idle. Default: ``ConnectionPoolConfiguration/acquireTimeout``.
    ///   - fileID: The place of the call, for reports of leaks. Leave out.
    ///   - line: The place of the call, for reports of leaks. Leave out.
    ///   - body: Uses the connection. Whether it returns or throws, the connection is released.
    /// - Returns: What the body returns.
    /// - Throws: As `withConnection` of a ``ConnectionPool`` does, and, if the key has no pool yet, what
    ///   `makeStrategy` and the closure of the settings throw.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        for key: Key,
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        let visit = try core.enter(key)
        let lease: _ConcurrencyKitCore.Lease
        do {
            lease = try await visit.acquire(timeout, _LeaseSite(fileID, line, isScoped: true))
        } catch {
            visit.leave()
            throw error
        }
        visit.header(of: lease).pointee.holder.note()
        let result: Result
        do {
            result = try await body(&visit.connection(of: lease).pointee)
        } catch {
            visit.header(of: lease).pointee.holder.clear()
            await visit.release(lease, after: error)
            visit.leave()
            throw error
        }
        visit.header(of: lease).pointee.holder.clear()
        if let excess = visit.endLease(lease) {
            defer { visit.leave() }
            try await visit.close(excess)
            return result
        }
        visit.leave()
        return result
    }

    /// Acquires a connection of a key, runs a body that does not suspend, and releases the connection.
    ///
    /// The compiler chooses this overload for bodies without `await`.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        for key: Key,
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        let visit = try core.enter(key)
        let lease: _ConcurrencyKitCore.Lease
        do {
            lease = try await visit.acquire(timeout, _LeaseSite(fileID, line, isScoped: true))
        } catch {
            visit.leave()
            throw error
        }
        let result: Result
        do {
            result = try body(&visit.connection(of: lease).pointee)
        } catch {
            await visit.release(lease, after: error)
            visit.leave()
            throw error
        }
        if let excess = visit.endLease(lease) {
            defer { visit.leave() }
            try await visit.close(excess)
            return result
        }
        visit.leave()
        return result
    }

    /// Acquires a connection of a key until the lease is released or goes out of scope.
    ///
    /// - Parameters:
    ///   - key: The key, which gets a pool if it has none.
    ///   - timeout: How long to wait if no connection is idle. Default: ``ConnectionPoolConfiguration/acquireTimeout``.
    ///   - fileID: The place of the call, for reports of leaks. Leave out.
    ///   - line: The place of the call, for reports of leaks. Leave out.
    /// - Throws: As `withConnection` does before its body.
    @inlinable
    public func acquire(
        for key: Key,
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line
    ) async throws -> ConnectionLease<Strategy> {
        let visit = try core.enter(key)
        // The lease retains the engine of the pool, so the visit can end before it.
        defer { visit.leave() }
        let lease = try await visit.acquire(timeout, _LeaseSite(fileID, line, isScoped: false))
        return ConnectionLease(visit.engine.takeUnretainedValue(), lease)
    }

    // MARK: The end

    /// Shuts the group and the pools of all keys down for good.
    ///
    /// No connection is handed out any more, no key gets a pool, and waiters get `.poolShutDown`. Idle connections are closed at
    /// once, and connections in use are closed when they are released. Idempotent. Each call applies its own `drainFor`. Call
    /// this outside of the bodies of `withConnection`: see ``ConnectionPool/shutdown(drainFor:)``.
    ///
    /// - Parameter drainFor: How long to wait until all connections are closed; `nil` for as long as that takes. Connections
    ///   that are in use when the time has passed are still closed when they are released. Cancelling the task ends the wait.
    /// - Returns: Whether connections are left.
    @discardableResult
    public func shutdown(drainFor: Duration? = nil) async -> ConnectionPoolShutdownResult {
        await core.shutdown(drainFor: drainFor)
    }
}
