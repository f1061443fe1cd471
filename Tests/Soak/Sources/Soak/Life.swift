// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// One pool, and the state that all its users share.
final class Life<System: Backend>: Sendable {
    typealias Pool = ConnectionPool<System.Strategy>

    let plan: LifePlan
    let seed: UInt64
    let backend: System
    let strategy: System.Strategy
    let pool: Pool
    let report: Report
    private let stopped = Atomic<Bool>(false)
    private let ending = Atomic<Bool>(false)
    private let visiting = Atomic<Int>(0)

    init(_ plan: LifePlan, seed: UInt64, backend: System, endpoint: Endpoint, report: Report) throws {
        self.plan = plan
        self.seed = seed
        self.backend = backend
        self.report = report
        var configuration = plan.configuration
        configuration.observer = EventCounter(tally: report.outcomes)
        strategy = try backend.strategy(plan, endpoint)
        pool = try Pool(strategy: strategy, configuration: configuration)
    }

    /// Whether the visitors must stop.
    var isStopped: Bool { stopped.load(ordering: .acquiring) || report.findings.hasAny }

    /// Whether the pool may throw `.poolShutDown`.
    var isEnding: Bool { ending.load(ordering: .acquiring) }

    /// The number of visitors that have not stopped yet.
    var visitorsLeft: Int { visiting.load(ordering: .acquiring) }

    func willEnd() { ending.store(true, ordering: .releasing) }

    /// Starts visitors, which run until ``stop()``.
    ///
    /// - Parameter round: Distinguishes the visitors of several calls.
    func open(round: Int) {
        stopped.store(false, ordering: .releasing)
        visiting.add(plan.visitors, ordering: .acquiringAndReleasing)
        for number in 0..<plan.visitors {
            let visitor = Visitor(
                number: round * 1_000 + number,
                neighbours: round * 1_000..<round * 1_000 + plan.visitors,
                life: self
            )
            Task {
                await visitor.run()
                self.visiting.subtract(1, ordering: .acquiringAndReleasing)
            }
        }
    }

    /// For ``Sabotage/loseCaller``: counts a visitor that never stops.
    func loseCaller() { visiting.add(1, ordering: .acquiringAndReleasing) }

    func stop() { stopped.store(true, ordering: .releasing) }
}
