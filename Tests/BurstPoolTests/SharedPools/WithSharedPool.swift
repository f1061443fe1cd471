// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Synchronization
import Testing

@testable import BurstPool

typealias SharedTestPool = SharedConnectionPool<SharedTestStrategy>

/// A lease that can be stored in a collection.
final class HeldLease: Sendable {
    let connection: SharedTestConnection
    private let lease: Mutex<SharedConnectionLease<SharedTestStrategy>?>

    init(_ lease: consuming SharedConnectionLease<SharedTestStrategy>) {
        connection = lease.connection
        connection.enter()
        self.lease = Mutex(lease)
    }

    func release() {
        connection.exit()
        lease.withLock { $0.take() }?.release()
    }

    func discard() {
        connection.exit()
        lease.withLock { $0.take() }?.discard()
    }
}

extension [HeldLease] {
    func release() {
        for lease in self { lease.release() }
    }
}

extension SharedConnectionPool where Strategy == SharedTestStrategy {
    func hold(timeout: AcquireTimeout = .configured) async throws -> HeldLease {
        HeldLease(try await acquire(timeout: timeout))
    }

    func hold(_ count: Int) async throws -> [HeldLease] {
        var leases: [HeldLease] = []
        for _ in 0..<count { leases.append(try await hold()) }
        return leases
    }

    func tryHold() -> HeldLease? {
        guard let lease = tryAcquire() else { return nil }
        return HeldLease(lease)
    }

    /// Starts to acquire in its own task, and returns when that task waits in the queue.
    func startWaiting(timeout: AcquireTimeout = .unlimited) async throws -> Task<HeldLease, any Error> {
        let before = statistics.waiting
        let executor = ObservedExecutor()
        let task = Task(executorPreference: executor) { try await self.hold(timeout: timeout) }
        try await eventually("the caller waits") { executor.isSuspended && self.statistics.waiting == before + 1 }
        return task
    }

    /// Advances the clock in small steps, and does at each what is due, until the time has passed or a condition holds.
    ///
    /// This does not wait for the tasks that sleep on the clock, so how busy the machine is does not matter.
    func pass(_ time: Duration, on clock: ManualClock, until isDone: () -> Bool = { false }) async throws {
        let end = clock.now.sinceStart + time
        while clock.now.sinceStart < end, !isDone() {
            clock.advance(by: min(.milliseconds(250), end - clock.now.sinceStart))
            engine.alarmClockRang()
            engine.connections.alarmClockRang()
            // What one of the two has returned or closed, the other one learns at once.
            try await settle()
        }
    }

    /// Waits until nothing is being opened or closed.
    func settle() async throws {
        try await eventually("nothing is being opened or closed") {
            let statistics = self.statistics
            return statistics.opening == 0 && statistics.closing == 0
        }
    }
}

/// Runs a test on a pool of ``SharedTestStrategy``, and then checks that nothing is left behind.
///
/// That is: after a shutdown, no connection is open, each was closed once and when nobody used it, the hard limit was kept, and
/// the strategy and the engine that held it are deallocated.
func withSharedPool(
    limit: Int,
    maxSize: Int,
    burstLimit: Int? = nil,
    mostEver: Int? = nil,
    policy: SharedLeasePolicy = .warmFirst,
    sourceLocation: SourceLocation = #_sourceLocation,
    configure: (inout ConnectionPoolConfiguration) -> Void = { _ in },
    _ test: (SharedTestPool, SharedTestStrategy, ManualClock, RecordingObserver) async throws -> Void
) async throws {
    let clock = ManualClock()
    let observer = RecordingObserver()
    var configuration = ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
    configuration.clock = clock
    configuration.observer = observer
    configuration.acquireTimeout = nil
    configure(&configuration)
    let witness = Witness()
    do {
        let strategy = SharedTestStrategy(limit: limit, witness: witness)
        let pool = try SharedConnectionPool(strategy: strategy, configuration: configuration, leasePolicy: policy)
        try await test(pool, strategy, clock, observer)
        await pool.shutdown()
        let statistics = pool.statistics
        #expect(statistics.total == 0, "after shutdown: \(statistics)", sourceLocation: sourceLocation)
        #expect(statistics.waiting == 0, "after shutdown: \(statistics)", sourceLocation: sourceLocation)
        #expect(statistics.leasesInUse == 0 && statistics.leasesIdle == 0, sourceLocation: sourceLocation)
        let books = strategy.books
        #expect(books.slots == 0, "connections are left", sourceLocation: sourceLocation)
        #expect(books.peak <= mostEver ?? burstLimit ?? maxSize, sourceLocation: sourceLocation)
        #expect(strategy.complaints.isEmpty, sourceLocation: sourceLocation)
    }
    try await eventually("the strategy is released", sourceLocation: sourceLocation) { witness.watchedIsGone }
}
