import BurstPool
import Synchronization
import Testing

/// Each thing that can happen, at each moment between the engine and its core, in turn: races that need no luck.
@Suite(.timeLimit(.minutes(5)))
struct InterleavingTests {
    /// What happens meanwhile.
    enum Interference: CaseIterable, Sendable {
        case firstLeaves, secondLeaves, bothLeave, timeIsUp, shutdown, grow, shrink, newcomer, tryAcquire, peerHangsUp
    }

    typealias Waiter = Task<TestLease<TestConnection>, any Error>

    /// What the interference works on.
    struct Scene: Sendable {
        let clock: ManualClock
        let strategy: TestStrategy
        let first: Waiter
        let second: Waiter
        let more = Shared<[Waiter]>([])
        let shutdowns = Shared<[Task<Void, Never>]>([])
    }

    private static func interfere(_ interference: Interference, _ scene: Scene, _ pool: TestPool) {
        switch interference {
        case .firstLeaves: scene.first.cancel()
        case .secondLeaves: scene.second.cancel()
        case .bothLeave:
            scene.second.cancel()
            scene.first.cancel()
        case .timeIsUp: scene.clock.advance(by: .seconds(10))
        case .shutdown:
            let task = Task(executorPreference: InlineExecutor()) { [weak pool] in
                if let pool { await pool.shutdown() }
            }
            scene.shutdowns.change { $0.append(task) }
        case .grow: try? pool.resize(maxSize: 2, burstLimit: 3)
        case .shrink: try? pool.resize(maxSize: 1)
        case .newcomer:
            let task = Waiter(executorPreference: InlineExecutor()) { [weak pool] in
                guard let pool else { throw CancellationError() }
                return try await pool.acquire(timeout: nil)
            }
            scene.more.change { $0.append(task) }
        case .tryAcquire: pool.tryAcquire()?.release()
        case .peerHangsUp: for remote in scene.strategy.books.remotes { remote.hangUp() }
        }
    }

    /// - Parameters:
    ///   - moments: Which moments it has to come by.
    ///   - act: Sets something off, with two who wait, of whom the first has ten seconds.
    private func play(
        _ kind: CoreKind,
        burstLimit: Int,
        byWayOf moments: Set<CoreMoment>,
        _ prepare: (TestPool, TestStrategy) async throws -> Void,
        _ act: (TestPool, TestStrategy) async throws -> Void
    ) async throws {
        let reached = Shared<Set<CoreMoment>>([])
        for moment in CoreMoment.allCases {
            for interference in Interference.allCases {
                let clock = ManualClock()
                try await withPool(
                    kind,
                    maxSize: 1,
                    burstLimit: burstLimit,
                    mostEver: 3,
                    hooked: true,
                    configure: { $0.clock = clock }
                ) { pool, strategy in
                    try await prepare(pool, strategy)
                    let scene = Scene(
                        clock: clock,
                        strategy: strategy,
                        first: try await pool.startWaiting(timeout: .seconds(10)),
                        second: try await pool.startWaiting(timeout: nil)
                    )
                    strategy.hooks.at(moment) { [weak pool] in
                        reached.change { _ = $0.insert(moment) }
                        if let pool { Self.interfere(interference, scene, pool) }
                    }
                    try await act(pool, strategy)
                    for waiter in [scene.first, scene.second] { await end(waiter, "\(moment), \(interference)") }
                    strategy.hooks.clear()
                    // A close in the background may be at its moment just now, and bring one more who waits.
                    try await eventually("no interference is under way") { strategy.hooks.isQuiet }
                    for waiter in scene.more.value { await end(waiter, "\(moment), \(interference)") }
                    for shutdown in scene.shutdowns.value { await shutdown.value }
                    // Not at once: closes in the background go on, and look at what is idle when they have ended.
                    try await eventually("nobody waits or leases after \(interference) at \(moment)") {
                        let statistics = pool.statistics
                        return statistics.waiting == 0 && statistics.inUse == 0
                    }
                }
            }
        }
        #expect(reached.value.isSuperset(of: moments), "not by way of \(moments.subtracting(reached.value))")
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

    @Test(
        "While a connection is returned to those who wait, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func returning(kind: CoreKind) async throws {
        let kept = Shared<TestLease<TestConnection>?>(nil)
        try await play(
            kind,
            burstLimit: 1,
            byWayOf: [
                .afterRelease, .afterSomebodyWaits, .beforeTakeIdle, .afterTakeIdle, .beforeHandOver, .afterHandOver,
            ]
        ) { pool, _ in
            kept.set(try await pool.acquire())
        } _: { _, _ in
            kept.change { lease in
                lease?.release()
                lease = nil
            }
        }
    }

    @Test(
        "While a surplus connection is returned, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func shrinking(kind: CoreKind) async throws {
        let kept = Shared<[TestLease<TestConnection>]>([])
        try await play(
            kind,
            burstLimit: 2,
            byWayOf: [
                .afterRelease, .beforeTakeIdle, .afterTakeIdle, .beforeHandOver, .beforeBeginCloseSurplus,
                .afterBeginCloseSurplus,
            ]
        ) { pool, _ in
            kept.set(try await pool.lease(2))
        } _: { _, _ in
            kept.change { leases in
                leases.release()
                leases = []
            }
        }
    }

    @Test("While a connection opens, whatever happens at any moment, nothing is lost", arguments: CoreKind.cores)
    func opening(kind: CoreKind) async throws {
        let gates = Shared<[Gate]>([])
        try await play(
            kind,
            burstLimit: 1,
            byWayOf: [.beforeFinishOpen, .afterFinishOpen, .beforeClaimWait, .afterClaimWait]
        ) { _, strategy in
            let gate = Gate()
            gates.set([gate])
            strategy.onOpen { _ in await gate.pass() }
        } _: { _, _ in
            gates.value[0].open()
        }
    }

    @Test(
        "While a connection fails to open, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func failingToOpen(kind: CoreKind) async throws {
        let gates = Shared<[Gate]>([])
        try await play(
            kind,
            burstLimit: 1,
            byWayOf: [
                .beforeCancelOpen, .afterCancelOpen, .beforeClaimWait, .afterClaimWait, .beforeBeginOpen,
                .afterBeginOpen,
            ]
        ) { _, strategy in
            let gate = Gate()
            gates.set([gate])
            strategy.onOpen { attempt in
                await gate.pass()
                if attempt == 1 { throw TestError("refused") }
            }
        } _: { _, _ in
            gates.value[0].open()
        }
    }

    @Test(
        "While a dead connection is replaced, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func replacing(kind: CoreKind) async throws {
        let kept = Shared<TestLease<TestConnection>?>(nil)
        try await play(
            kind,
            burstLimit: 1,
            byWayOf: [
                .beforeBeginClose, .afterBeginClose, .beforeFinishClose, .afterFinishClose, .afterBeginOpen,
                .afterClaimWait,
            ]
        ) { pool, _ in
            kept.set(try await pool.acquire())
        } _: { _, strategy in
            strategy.remote(1).hangUp()
            kept.change { lease in
                lease?.release()
                lease = nil
            }
        }
    }
}
