public import BurstPool

/// A pool on another core than the one that ships. For comparisons, not for production: use `ConnectionPool`.
///
/// The same thin face on the same engine as `ConnectionPool`, so that what differs in a measurement is the core.
public final class BenchmarkConnectionPool<Strategy: ConnectionStrategy, Core: _PoolCore>: Sendable {
    @usableFromInline let engine: _PoolEngine<Strategy, Core>
    @usableFromInline let acquireTimeout: Duration?

    /// Makes a pool without connections; they are opened as they are needed.
    public convenience init(strategy: Strategy, maxSize: Int, burstLimit: Int? = nil) throws {
        try self.init(
            strategy: strategy,
            configuration: ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
        )
    }

    /// Makes a pool without connections; they are opened as they are needed.
    public init(strategy: Strategy, configuration: ConnectionPoolConfiguration) throws {
        engine = try _PoolEngine(strategy: strategy, configuration: configuration)
        acquireTimeout = configuration.acquireTimeout
    }

    deinit {
        engine.beginShutdown()
    }

    /// Lends a connection to a body, as `ConnectionPool.withConnection(_:)` does.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: acquireTimeout, fileID: fileID, line: line, body)
    }

    /// Lends a connection to a body, as `ConnectionPool.withConnection(timeout:_:)` does.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: Duration?,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    /// Lends a connection to a body that does not suspend, as `ConnectionPool.withConnection(_:)` does.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: acquireTimeout, fileID: fileID, line: line, body)
    }

    /// Lends a connection to a body that does not suspend, as `ConnectionPool.withConnection(timeout:_:)` does.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: Duration?,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    /// Changes the limits, at any time.
    public func resize(maxSize: Int, burstLimit: Int? = nil) throws {
        try engine.resize(maxSize: maxSize, burstLimit: burstLimit)
    }

    /// How many connections there are and what they are doing.
    public var statistics: ConnectionPoolStatistics { engine.statistics }

    /// Shuts the pool down, for good.
    public func shutdown(drainFor: Duration? = nil) async {
        await engine.shutdown(drainFor: drainFor)
    }
}

/// A pool without locks in Swift alone. For comparisons, not for production: use `ConnectionPool`.
public typealias LockFreeSwiftConnectionPool<Strategy: ConnectionStrategy> =
    BenchmarkConnectionPool<Strategy, LockFreeSwiftCore>

/// A pool behind one lock. For comparisons, not for production: use `ConnectionPool`.
public typealias MutexConnectionPool<Strategy: ConnectionStrategy> = BenchmarkConnectionPool<Strategy, MutexCore>
