// SPDX-License-Identifier: Apache-2.0

public import BurstPool
public import BurstPoolSwiftCores

/// The interface that all pools share, so that one workload runs on all of them. Requirements have no default values,
/// so a workload passes its source location.
public protocol BenchmarkPool: Sendable {
    nonisolated(nonsending)
        func withConnection<Result>(
            timeout: AcquireTimeout,
            fileID: StaticString,
            line: Int,
            _ body: nonisolated(nonsending) (inout sending Connection) async throws -> sending Result
        ) async throws -> sending Result

    @discardableResult func shutdown(drainFor: Duration?) async -> ConnectionPoolShutdownResult
    var statistics: ConnectionPoolStatistics { get }
}

public typealias ShippingPool = ConnectionPool<CountingStrategy>
public typealias LockFreeSwiftPool = LockFreeSwiftConnectionPool<CountingStrategy>
public typealias MutexPool = MutexConnectionPool<CountingStrategy>

extension ConnectionPool: BenchmarkPool where Strategy == CountingStrategy {}
extension BenchmarkConnectionPool: BenchmarkPool where Strategy == CountingStrategy {}

extension BenchmarkPool {
    @inlinable @inline(__always)
    public nonisolated(nonsending) func withConnection<Result>(
        fileID: StaticString,
        line: Int,
        _ body: nonisolated(nonsending) (inout sending Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await withConnection(timeout: .configured, fileID: fileID, line: line, body)
    }

    /// Opens this number of connections at the same time, and releases them.
    public nonisolated(nonsending) func open(_ count: Int) async throws {
        guard count > 0 else { return }
        try await withConnection(fileID: #fileID, line: #line) { _ in
            try await open(count - 1)
        }
    }
}
