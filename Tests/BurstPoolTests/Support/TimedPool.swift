// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

/// Like ``withPool(_:maxSize:burstLimit:mostEver:hooked:sourceLocation:configure:_:)``, in virtual time, with an
/// observer. Callers wait without a limit by default, so that no timer sleeps on the clock for them.
func withTimedPool(
    _ kind: CoreKind,
    maxSize: Int,
    burstLimit: Int? = nil,
    mostEver: Int? = nil,
    hooked: Bool = false,
    observesLeases: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation,
    configure: (inout ConnectionPoolConfiguration) -> Void = { _ in },
    _ test: (TestPool, TestStrategy, ManualClock, RecordingObserver) async throws -> Void
) async throws {
    let clock = ManualClock()
    let observer = RecordingObserver(observesLeases: observesLeases)
    try await withPool(
        kind,
        maxSize: maxSize,
        burstLimit: burstLimit,
        mostEver: mostEver,
        hooked: hooked,
        sourceLocation: sourceLocation,
        configure: {
            $0.clock = clock
            $0.observer = observer
            $0.acquireTimeout = nil
            configure(&$0)
        }
    ) { pool, strategy in
        try await test(pool, strategy, clock, observer)
    }
}

/// Advances a pool's clock, so that maintenance runs at every moment at which something is due.
struct MaintenanceStepper {
    private let clock: ManualClock
    private let pool: TestPool
    /// The time until the first run of maintenance.
    let interval: Duration

    /// Call this when maintenance sleeps, or is about to.
    init(_ pool: TestPool, _ clock: ManualClock) async throws {
        try await eventually("maintenance sleeps") { clock.sleepers > 0 }
        try await pool.finishMaintenance(on: clock)
        self.clock = clock
        self.pool = pool
        interval = try #require(clock.nextDeadline) - clock.now.sinceStart
    }

    /// - Parameter waitsForStrategy: Whether to wait after each run until everything that it has begun to open or close
    ///   has ended.
    func pass(_ duration: Duration, waitsForStrategy: Bool = true, afterEach: () -> Void = {}) async throws {
        let end = clock.now.sinceStart + duration
        try await pool.finishMaintenance(on: clock)
        while let next = clock.nextDeadline, next <= end {
            clock.advance(by: next - clock.now.sinceStart)
            try await rest(waitsForStrategy)
            afterEach()
        }
        clock.advance(by: end - clock.now.sinceStart)
        try await rest(waitsForStrategy)
    }

    private func rest(_ waitsForStrategy: Bool) async throws {
        try await pool.finishMaintenance(on: clock)
        for _ in 0..<20 { await Task.yield() }
        guard waitsForStrategy else { return }
        try await eventually("nothing is being opened or closed") {
            let statistics = pool.statistics
            return statistics.closing == 0 && statistics.opening == 0
        }
        try await pool.finishMaintenance(on: clock)
    }
}

extension PoolUnderTest {
    /// Does what is due, and returns when the pool's alarm clock sleeps until something is due next.
    func finishMaintenance(on clock: ManualClock) async throws {
        try await eventually("the alarm clock sleeps") {
            let next = await finishMaintenance()
            for _ in 0..<10 { await Task.yield() }
            guard let next else { return true }
            return clock.nextDeadline.map { $0 > clock.now.sinceStart && $0 <= next } ?? false
        }
    }
}

/// Records when connections were opened and closed.
final class Chronicle: Sendable {
    private let openings = Shared<[Int: Duration]>([:])
    private let closings = Shared<[Int: Duration]>([:])

    init(_ strategy: TestStrategy, _ clock: ManualClock) {
        strategy.onPrepare { [openings] remote in openings.change { $0[remote.id] = clock.now.sinceStart } }
        strategy.onClose { [closings] remote in closings.change { $0[remote.id] = clock.now.sinceStart } }
    }

    var closed: [Int: Duration] { closings.value }

    /// The age of each connection when it was closed.
    var ages: [Int: Duration] {
        let opened = openings.value
        return closings.value.reduce(into: [:]) { ages, closing in
            ages[closing.key] = closing.value - (opened[closing.key] ?? .zero)
        }
    }

    /// The number of connections that were closed at each moment.
    var closedAtOnce: [Duration: Int] {
        Dictionary(grouping: closings.value.values, by: { $0 }).mapValues(\.count)
    }
}
