// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

/// Runs an action with two waiters, and an interference at one moment between the engine and its core. Repeats this for
/// each interference at each moment.
struct InterleavingPlay {
    /// What happens at the moment.
    enum Interference: CaseIterable, Sendable {
        case firstLeaves, secondLeaves, bothLeave, timeIsUp, shutdown, abort, grow, shrink, newCaller, tryAcquire
        case peerHangsUp, evict, pause, pauseAndResume
    }

    typealias Waiter = Task<TestLease<TestConnection>, any Error>

    /// What the action works on.
    struct Scene: Sendable {
        let pool: TestPool
        let clock: ManualClock
        let strategy: TestStrategy
        let gate = Gate()
        private let kept = Shared<[TestLease<TestConnection>]>([])

        func lease(_ count: Int) async throws { kept.set(try await pool.lease(count)) }

        func releaseAll() {
            let leases = kept.change { leases in
                defer { leases = [] }
                return leases
            }
            leases.release()
        }
    }

    /// What the interference works on.
    private struct Cast: Sendable {
        let clock: ManualClock
        let strategy: TestStrategy
        let first: Waiter
        let second: Waiter
        let more = Shared<[Waiter]>([])
        let shutdowns = Shared<[Task<Void, Never>]>([])
    }

    var burstLimit = 1
    /// The moments that the action must reach.
    var byWayOf: Set<CoreMoment>
    /// Whether time passes after the action, for actions that only continue when an alarm rings.
    var timePasses = false
    var configure: (inout ConnectionPoolConfiguration) -> Void = { _ in }
    var prepare: (Scene) async throws -> Void
    /// Starts the action, with two waiters, the first of which has a timeout of ten seconds.
    var act: (Scene) async throws -> Void

    func run(_ kind: CoreKind) async throws {
        let reached = Shared<Set<CoreMoment>>([])
        for moment in CoreMoment.allCases {
            for interference in Interference.allCases {
                try await play(kind, interference, at: moment, reached)
            }
        }
        #expect(
            reached.value.isSuperset(of: byWayOf),
            "these moments were not reached: \(byWayOf.subtracting(reached.value))"
        )
    }

    private func play(
        _ kind: CoreKind,
        _ interference: Interference,
        at moment: CoreMoment,
        _ reached: Shared<Set<CoreMoment>>
    ) async throws {
        let clock = ManualClock()
        try await withPool(
            kind,
            maxSize: 1,
            burstLimit: burstLimit,
            mostEver: 3,
            hooked: true,
            configure: {
                $0.clock = clock
                $0.acquireTimeout = nil
                configure(&$0)
            }
        ) { pool, strategy in
            let scene = Scene(pool: pool, clock: clock, strategy: strategy)
            try await prepare(scene)
            let cast = Cast(
                clock: clock,
                strategy: strategy,
                first: try await pool.startWaiting(timeout: .seconds(10)),
                second: try await pool.startWaiting(timeout: .unlimited)
            )
            strategy.hooks.at(moment) { [weak pool] in
                reached.change { _ = $0.insert(moment) }
                if let pool { Self.interfere(interference, cast, pool) }
            }
            try await act(scene)
            let meanwhile = Task { [timePasses] in
                while !Task.isCancelled {
                    if pool.isPaused { pool.resume() }
                    if timePasses { clock.advance(by: .milliseconds(100)) }
                    await letOthersRun()
                }
            }
            for waiter in [cast.first, cast.second] { await end(waiter, "\(moment), \(interference)") }
            strategy.hooks.clear()
            // A background close may be at its moment just now, and add another waiter.
            try await eventually("no interference is under way") { strategy.hooks.isQuiet }
            for waiter in cast.more.value { await end(waiter, "\(moment), \(interference)") }
            for shutdown in cast.shutdowns.value { await shutdown.value }
            // Not immediately, because background closes continue, and look at idle connections when they have ended.
            try await eventually("no caller waits or leases after \(interference) at \(moment)") {
                let statistics = pool.statistics
                return statistics.waiting == 0 && statistics.inUse == 0
            }
            meanwhile.cancel()
            await meanwhile.value
        }
    }

    private static func interfere(_ interference: Interference, _ cast: Cast, _ pool: TestPool) {
        switch interference {
        case .firstLeaves: cast.first.cancel()
        case .secondLeaves: cast.second.cancel()
        case .bothLeave:
            cast.second.cancel()
            cast.first.cancel()
        case .timeIsUp: cast.clock.advance(by: .seconds(10))
        case .shutdown:
            let task = Task(executorPreference: InlineExecutor()) { [weak pool] in
                if let pool { await pool.shutdown() }
            }
            cast.shutdowns.change { $0.append(task) }
        case .abort:
            let task = Task(executorPreference: InlineExecutor()) { [weak pool] in
                if let pool { await pool.abort() }
            }
            cast.shutdowns.change { $0.append(task) }
        case .grow: try? pool.resize(maxSize: 2, burstLimit: 3)
        case .shrink: try? pool.resize(maxSize: 1)
        case .newCaller:
            let task = Waiter(executorPreference: InlineExecutor()) { [weak pool] in
                guard let pool else { throw CancellationError() }
                return try await pool.acquire(timeout: .unlimited)
            }
            cast.more.change { $0.append(task) }
        case .tryAcquire: pool.tryAcquire()?.release()
        case .peerHangsUp: for remote in cast.strategy.books.remotes { remote.hangUp() }
        case .evict: pool.evictAll(over: nil)
        // Until the play resumes the pool.
        case .pause: pool.pause()
        case .pauseAndResume:
            pool.pause()
            pool.resume()
        }
    }

    private func end(_ waiter: Waiter, _ when: String) async {
        do {
            try await waiter.value.release()
        } catch is CancellationError {
        } catch let error as ConnectionPoolError {
            #expect(error.code == .acquireTimedOut || error.code == .poolShutDown, "\(when)")
        } catch {
            #expect(error is TestError, "\(when)")
        }
    }
}
