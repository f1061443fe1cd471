// SPDX-License-Identifier: Apache-2.0

public import BurstPool

/// A pool on another core than the one that ships. For comparisons, not for production: use `ConnectionPool`.
///
/// It has the same thin interface to the same engine as `ConnectionPool`, so that measurements differ only by the core.
public final class BenchmarkConnectionPool<Strategy: ConnectionStrategy, Core: _PoolCore>: Sendable {
    @usableFromInline let engine: _PoolEngine<Strategy, Core>

    /// Creates a pool without connections, which it opens as they are needed.
    public convenience init(strategy: Strategy, maxSize: Int, burstLimit: Int? = nil) throws(ConnectionPoolError) {
        try self.init(
            strategy: strategy,
            configuration: ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
        )
    }

    /// Creates a pool without connections, which it opens as they are needed.
    public init(strategy: Strategy, configuration: ConnectionPoolConfiguration) throws(ConnectionPoolError) {
        engine = try _PoolEngine(strategy: strategy, configuration: configuration)
    }

    deinit {
        engine.beginShutdown()
    }

    /// Acquires a connection, runs a body with it and releases it, as `ConnectionPool.withConnection` does.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    /// As the overload above, for a body that does not suspend.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    /// Changes the limits.
    public func resize(maxSize: Int, burstLimit: Int? = nil) throws(ConnectionPoolError) {
        try engine.resize(maxSize: maxSize, burstLimit: burstLimit)
    }

    /// The numbers of connections and waiters.
    public var statistics: ConnectionPoolStatistics { engine.statistics }

    /// Shuts the pool down for good.
    @discardableResult
    public func shutdown(drainFor: Duration? = nil) async -> ConnectionPoolShutdownResult {
        await engine.shutdown(drainFor: drainFor)
    }
}

/// A pool without locks in Swift alone. For comparisons, not for production: use `ConnectionPool`.
public typealias LockFreeSwiftConnectionPool<Strategy: ConnectionStrategy> =
    BenchmarkConnectionPool<Strategy, LockFreeSwiftCore>

/// A pool behind one lock. For comparisons, not for production: use `ConnectionPool`.
public typealias MutexConnectionPool<Strategy: ConnectionStrategy> = BenchmarkConnectionPool<Strategy, MutexCore>
