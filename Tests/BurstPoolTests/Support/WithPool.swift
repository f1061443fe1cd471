// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

typealias TestPool = any PoolUnderTest<TestConnection>

/// Runs a test on a pool of ``TestStrategy``, and then checks that nothing is left behind.
///
/// That is: after a shutdown, no connection is open, each was closed once and used by one caller at a time, the hard
/// limit was kept, and the strategy and the engine that held it are deallocated.
///
/// - Parameter mostEver: The highest hard limit during the test, if the test changes it.
func withPool(
    _ kind: CoreKind,
    maxSize: Int,
    burstLimit: Int? = nil,
    mostEver: Int? = nil,
    hooked: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation,
    configure: (inout ConnectionPoolConfiguration) -> Void = { _ in },
    _ test: (TestPool, TestStrategy) async throws -> Void
) async throws {
    var configuration = ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
    configure(&configuration)
    let witness = Witness()
    do {
        let strategy = TestStrategy(witness: witness)
        let pool =
            hooked
            ? try kind.makeHookedPool(strategy: strategy, configuration: configuration)
            : try kind.makePool(strategy: strategy, configuration: configuration)
        try await test(pool, strategy)
        strategy.hooks.clear()
        await pool.shutdown()
        let statistics = pool.statistics
        #expect(statistics.total == 0, "after shutdown: \(statistics)", sourceLocation: sourceLocation)
        #expect(statistics.waiting == 0, "after shutdown: \(statistics)", sourceLocation: sourceLocation)
        expectNothingLeft(strategy, limit: mostEver ?? burstLimit ?? maxSize, sourceLocation: sourceLocation)
    }
    try await eventually("the strategy is released", sourceLocation: sourceLocation) { witness.watchedIsGone }
}

func expectNothingLeft(_ strategy: TestStrategy, limit: Int, sourceLocation: SourceLocation = #_sourceLocation) {
    let books = strategy.books
    #expect(books.openNow == 0, "connections are left open", sourceLocation: sourceLocation)
    #expect(books.slots == 0, "connections are left opening or closing", sourceLocation: sourceLocation)
    #expect(books.peak <= limit, "more connections than the hard limit", sourceLocation: sourceLocation)
    #expect(strategy.complaints.isEmpty, sourceLocation: sourceLocation)
}

extension PoolUnderTest {
    /// Starts to acquire in its own task, and returns when that task waits in the queue.
    func startWaiting(
        timeout: AcquireTimeout = .unlimited,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Task<TestLease<Connection>, any Error> {
        let before = statistics.waiting
        let executor = ObservedExecutor()
        let task = Task(executorPreference: executor) { try await self.acquire(timeout: timeout) }
        try await eventually("the caller waits", sourceLocation: sourceLocation) {
            executor.isSuspended && statistics.waiting == before + 1
        }
        return task
    }

    /// Leases this number of connections at the same time.
    func lease(_ count: Int) async throws -> [TestLease<Connection>] {
        var leases: [TestLease<Connection>] = []
        for _ in 0..<count { leases.append(try await acquire()) }
        return leases
    }

    /// Opens this number of connections and releases them. Up to maxSize of them stay idle.
    func warmUp(_ count: Int) async throws {
        for lease in try await lease(count) { lease.release() }
    }
}

/// Returns the pool's error that the body throws.
func poolError(
    _ code: ConnectionPoolError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async throws -> ConnectionPoolError {
    let error = await #expect(throws: ConnectionPoolError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.code == code, sourceLocation: sourceLocation)
    return try #require(error, sourceLocation: sourceLocation)
}

extension [TestLease<TestConnection>] {
    func release() {
        for lease in self { lease.release() }
    }
}
