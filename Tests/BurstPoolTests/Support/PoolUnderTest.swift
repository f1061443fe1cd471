// SPDX-License-Identifier: Apache-2.0

import BurstPoolSwiftCores

@testable import BurstPool

/// A pool as the tests see it, independent of its core.
protocol PoolUnderTest<Connection>: AnyObject, Sendable {
    associatedtype Connection

    var statistics: ConnectionPoolStatistics { get }

    func withConnection<Result>(
        timeout: AcquireTimeout,
        fileID: StaticString,
        line: Int,
        _ body: (inout sending Connection) async throws -> sending Result
    ) async throws -> sending Result
    func acquire(timeout: AcquireTimeout, fileID: StaticString, line: Int) async throws -> TestLease<Connection>
    func tryAcquire() -> TestLease<Connection>?
    func resize(maxSize: Int, burstLimit: Int?) throws
    @discardableResult func shutdown(drainFor: Duration?) async -> ConnectionPoolShutdownResult
    func prewarm(_ count: Int?) async throws
    func evictAll(over period: Duration?)
    func pause()
    func resume()
    var isPaused: Bool { get }
    func waitUntilHealthy(timeout: Duration?) async throws
    var health: ConnectionPoolHealth { get }
    func checkHealth(timeout: Duration) async -> ConnectionPoolHealth
    var leases: [ConnectionLeaseDescription] { get }
    var waiters: [ConnectionWaiterDescription] { get }
    @discardableResult
    func forEachConnection(_ body: (inout sending Connection) async throws -> Void) async -> ConnectionVisitResult
    func waitUntilUnused(timeout: Duration?) async -> Bool
    func abort() async
    /// Does what is due now. Returns the moment of the pool's clock at which something is due next.
    @discardableResult func finishMaintenance() async -> Duration?
}

extension PoolUnderTest {
    func withConnection<Result>(
        timeout: AcquireTimeout,
        _ fileID: StaticString = #fileID,
        _ line: Int = #line,
        _ body: (inout sending Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    func withConnection<Result>(
        _ fileID: StaticString = #fileID,
        _ line: Int = #line,
        _ body: (inout sending Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await withConnection(timeout: .configured, fileID: fileID, line: line, body)
    }

    func acquire(
        timeout: AcquireTimeout,
        _ fileID: StaticString = #fileID,
        _ line: Int = #line
    ) async throws -> TestLease<Connection> {
        try await acquire(timeout: timeout, fileID: fileID, line: line)
    }

    func acquire(_ fileID: StaticString = #fileID, _ line: Int = #line) async throws -> TestLease<Connection> {
        try await acquire(timeout: .configured, fileID: fileID, line: line)
    }

    func resize(maxSize: Int) throws {
        try resize(maxSize: maxSize, burstLimit: nil)
    }

    @discardableResult
    func shutdown() async -> ConnectionPoolShutdownResult {
        await shutdown(drainFor: nil)
    }
}

/// The cores that the suite runs on. To add one, add a case, and its line in ``makePool(strategy:configuration:)``.
enum CoreKind: CaseIterable, Sendable {
    case concurrencyKit
    case lockFreeSwift
    case mutex
    /// The public API, `ConnectionPool`, on the core that ships.
    case publicPool

    func makePool<Strategy: ConnectionStrategy>(
        strategy: Strategy,
        configuration: ConnectionPoolConfiguration
    ) throws -> any PoolUnderTest<Strategy.Connection> {
        switch self {
        case .concurrencyKit: try EnginePool<Strategy, _ConcurrencyKitCore>(strategy, configuration)
        case .lockFreeSwift: try EnginePool<Strategy, LockFreeSwiftCore>(strategy, configuration)
        case .mutex: try EnginePool<Strategy, MutexCore>(strategy, configuration)
        case .publicPool: try PublicPool(strategy, configuration)
        }
    }

    /// The same with hooks between the engine and its core. The public API has none, because its core is
    /// `concurrencyKit`.
    func makeHookedPool(
        strategy: TestStrategy,
        configuration: ConnectionPoolConfiguration
    ) throws -> any PoolUnderTest<TestConnection> {
        switch self {
        case .concurrencyKit, .publicPool:
            try EnginePool<TestStrategy, HookedCore<_ConcurrencyKitCore>>(strategy, configuration)
        case .lockFreeSwift:
            try EnginePool<TestStrategy, HookedCore<LockFreeSwiftCore>>(strategy, configuration)
        case .mutex:
            try EnginePool<TestStrategy, HookedCore<MutexCore>>(strategy, configuration)
        }
    }

    /// Each core once.
    static let cores = allCases.filter { $0 != .publicPool }
}

/// A pool's engine on some core, with what the public API adds to it.
final class EnginePool<Strategy: ConnectionStrategy, Core: _PoolCore>: PoolUnderTest {
    let engine: _PoolEngine<Strategy, Core>

    init(_ strategy: Strategy, _ configuration: ConnectionPoolConfiguration) throws {
        engine = try _PoolEngine(strategy: strategy, configuration: configuration)
    }

    deinit {
        engine.beginShutdown()
    }

    var statistics: ConnectionPoolStatistics { engine.statistics }

    func withConnection<Result>(
        timeout: AcquireTimeout,
        fileID: StaticString,
        line: Int,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    func acquire(timeout: AcquireTimeout, fileID: StaticString, line: Int) async throws -> TestLease<
        Strategy.Connection
    > {
        EngineLease(engine, try await engine.acquire(timeout: timeout, fileID: fileID, line: line))
    }

    func tryAcquire() -> TestLease<Strategy.Connection>? {
        engine.tryAcquire().map { EngineLease(engine, $0) }
    }

    func resize(maxSize: Int, burstLimit: Int?) throws {
        try engine.resize(maxSize: maxSize, burstLimit: burstLimit)
    }

    @discardableResult
    func shutdown(drainFor: Duration?) async -> ConnectionPoolShutdownResult {
        await engine.shutdown(drainFor: drainFor)
    }

    func prewarm(_ count: Int?) async throws { try await engine.prewarm(count) }
    func evictAll(over period: Duration?) { engine.evictAll(over: period) }
    func pause() { engine.pause() }
    func resume() { engine.resume() }
    var isPaused: Bool { engine.isPaused }
    func finishMaintenance() async -> Duration? { await engine.finishMaintenance() }
    func waitUntilHealthy(timeout: Duration?) async throws { try await engine.waitUntilHealthy(timeout: timeout) }
    var health: ConnectionPoolHealth { engine.currentHealth }
    func checkHealth(timeout: Duration) async -> ConnectionPoolHealth { await engine.checkHealth(timeout: timeout) }
    var leases: [ConnectionLeaseDescription] { engine.leases }
    var waiters: [ConnectionWaiterDescription] { engine.waiters }
    func forEachConnection(
        _ body: (inout sending Strategy.Connection) async throws -> Void
    ) async -> ConnectionVisitResult {
        await engine.forEachConnection(body)
    }
    func waitUntilUnused(timeout: Duration?) async -> Bool { await engine.waitUntilUnused(timeout: timeout) }
    func abort() async {
        engine.abort()
        _ = await engine.shutdown(drainFor: nil)
    }
}

extension _PoolEngine {
    fileprivate func finishMaintenance() async -> Duration? {
        alarmClockRang()
        while maintenance.isLooking { await Task.yield() }
        return nextMoment == .max ? nil : .nanoseconds(Int64(nextMoment) - 1)
    }
}

/// The public `ConnectionPool`.
final class PublicPool<Strategy: ConnectionStrategy>: PoolUnderTest {
    let pool: ConnectionPool<Strategy>

    init(_ strategy: Strategy, _ configuration: ConnectionPoolConfiguration) throws {
        pool = try ConnectionPool(strategy: strategy, configuration: configuration)
    }

    var statistics: ConnectionPoolStatistics { pool.statistics }

    func withConnection<Result>(
        timeout: AcquireTimeout,
        fileID: StaticString,
        line: Int,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await pool.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    func acquire(timeout: AcquireTimeout, fileID: StaticString, line: Int) async throws -> TestLease<
        Strategy.Connection
    > {
        PublicLease(try await pool.acquire(timeout: timeout, fileID: fileID, line: line))
    }

    func tryAcquire() -> TestLease<Strategy.Connection>? {
        guard let lease = pool.tryAcquire() else { return nil }
        return PublicLease<Strategy>(lease)
    }

    func resize(maxSize: Int, burstLimit: Int?) throws {
        try pool.resize(maxSize: maxSize, burstLimit: burstLimit)
    }

    @discardableResult
    func shutdown(drainFor: Duration?) async -> ConnectionPoolShutdownResult {
        await pool.shutdown(drainFor: drainFor)
    }

    func prewarm(_ count: Int?) async throws { try await pool.prewarm(count) }
    func evictAll(over period: Duration?) { pool.evictAll(over: period) }
    func pause() { pool.pause() }
    func resume() { pool.resume() }
    var isPaused: Bool { pool.isPaused }
    func finishMaintenance() async -> Duration? { await pool.engine.finishMaintenance() }
    func waitUntilHealthy(timeout: Duration?) async throws { try await pool.waitUntilHealthy(timeout: timeout) }
    var health: ConnectionPoolHealth { pool.health }
    func checkHealth(timeout: Duration) async -> ConnectionPoolHealth { await pool.checkHealth(timeout: timeout) }
    var leases: [ConnectionLeaseDescription] { pool.leases }
    var waiters: [ConnectionWaiterDescription] { pool.waiters }
    func forEachConnection(
        _ body: (inout sending Strategy.Connection) async throws -> Void
    ) async -> ConnectionVisitResult {
        await pool.forEachConnection(body)
    }
    func waitUntilUnused(timeout: Duration?) async -> Bool { await pool.waitUntilUnused(timeout: timeout) }
    func abort() async { await pool.abort(timeout: nil) }
}
