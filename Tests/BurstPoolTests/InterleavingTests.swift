import BurstPool
import BurstPoolTesting
import Testing

/// Each thing that can happen, at each moment between the engine and its core, in turn: races that need no luck.
@Suite(.timeLimit(.minutes(5)))
struct InterleavingTests {
    @Test(
        "While a connection is returned to those who wait, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func returning(kind: CoreKind) async throws {
        try await InterleavingPlay(
            byWayOf: [
                .afterRelease, .afterSomebodyWaits, .beforeTakeIdle, .afterTakeIdle, .beforeHandOff, .afterHandOff,
            ],
            prepare: { try await $0.lease(1) },
            act: { $0.releaseAll() }
        )
        .run(kind)
    }

    @Test(
        "While a excess connection is returned, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func shrinking(kind: CoreKind) async throws {
        try await InterleavingPlay(
            burstLimit: 2,
            byWayOf: [
                .afterRelease, .beforeTakeIdle, .afterTakeIdle, .beforeHandOff, .beforeBeginCloseExcess,
                .afterBeginCloseExcess,
            ],
            prepare: { try await $0.lease(2) },
            act: { $0.releaseAll() }
        )
        .run(kind)
    }

    @Test("While a connection opens, whatever happens at any moment, nothing is lost", arguments: CoreKind.cores)
    func opening(kind: CoreKind) async throws {
        try await InterleavingPlay(
            byWayOf: [.beforeFinishOpen, .afterFinishOpen, .beforeClaimWait, .afterClaimWait],
            prepare: { scene in scene.strategy.onOpen { [gate = scene.gate] _ in await gate.pass() } },
            act: { $0.gate.open() }
        )
        .run(kind)
    }

    @Test(
        "While a connection fails to open, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func failingToOpen(kind: CoreKind) async throws {
        try await InterleavingPlay(
            byWayOf: [
                .beforeCancelOpen, .afterCancelOpen, .beforeClaimWait, .afterClaimWait, .beforeBeginOpen,
                .afterBeginOpen,
            ],
            prepare: { $0.failFirstOpen() },
            act: { $0.gate.open() }
        )
        .run(kind)
    }

    @Test(
        "While a dead connection is replaced, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func replacing(kind: CoreKind) async throws {
        try await InterleavingPlay(
            byWayOf: [
                .beforeBeginClose, .afterBeginClose, .beforeFinishClose, .afterFinishClose, .afterBeginOpen,
                .afterClaimWait,
            ],
            prepare: { try await $0.lease(1) },
            act: { scene in
                scene.strategy.remote(1).hangUp()
                scene.releaseAll()
            }
        )
        .run(kind)
    }
}

/// The same with what a pool can be configured to do besides.
@Suite(.timeLimit(.minutes(5)))
struct OptionInterleavingTests {
    @Test("While a connection is reset, whatever happens at any moment, nothing is lost", arguments: CoreKind.cores)
    func resetting(kind: CoreKind) async throws {
        try await InterleavingPlay(
            byWayOf: [
                .beforeRelease, .afterRelease, .beforeTakeIdle, .afterTakeIdle, .beforeHandOff, .afterHandOff,
            ],
            configure: { $0.resetsConnections = true },
            prepare: { try await $0.lease(1) },
            act: { $0.releaseAll() }
        )
        .run(kind)
    }

    @Test("While a failed reset is seen to, whatever happens at any moment, nothing is lost", arguments: CoreKind.cores)
    func failingToReset(kind: CoreKind) async throws {
        try await InterleavingPlay(
            byWayOf: [
                .beforeBeginClose, .afterBeginClose, .beforeFinishClose, .afterFinishClose, .beforeBeginOpen,
                .afterBeginOpen,
            ],
            configure: { $0.resetsConnections = true },
            prepare: { scene in
                scene.strategy.onReset { if $0.id == 1 { throw TestError("reset") } }
                try await scene.lease(1)
            },
            act: { $0.releaseAll() }
        )
        .run(kind)
    }

    @Test("While a paused pool resumes, whatever happens at any moment, nothing is lost", arguments: CoreKind.cores)
    func resuming(kind: CoreKind) async throws {
        try await InterleavingPlay(
            byWayOf: [.beforeResume, .afterResume, .beforeTakeIdle, .afterTakeIdle, .beforeHandOff, .afterHandOff],
            prepare: { scene in
                try await scene.lease(1)
                scene.releaseAll()
                scene.pool.pause()
            },
            act: { $0.pool.resume() }
        )
        .run(kind)
    }

    @Test(
        "While a connection is validated for those who wait, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores,
        [true, false]
    )
    func validating(kind: CoreKind, isValid: Bool) async throws {
        try await InterleavingPlay(
            byWayOf: isValid
                ? [.beforeTakeIdle, .afterTakeIdle, .beforeRelease, .afterRelease, .beforeHandOff, .afterHandOff]
                : [.beforeTakeIdle, .beforeBeginClose, .beforeFinishClose, .afterFinishClose, .afterBeginOpen],
            timePasses: true,
            configure: { $0.validateAfterIdle = .seconds(1) },
            prepare: { scene in
                scene.strategy.onValidate { isValid || $0.id > 1 }
                try await scene.lease(1)
                scene.releaseAll()
                try await MaintenanceStepper(scene.pool, scene.clock).pass(.seconds(2))
                scene.pool.pause()
            },
            act: { $0.pool.resume() }
        )
        .run(kind)
    }

    @Test(
        "While a connection is opened after a delay, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func delayedOpening(kind: CoreKind) async throws {
        try await InterleavingPlay(
            burstLimit: 2,
            byWayOf: [.beforeBeginOpen, .afterBeginOpen, .beforeFinishOpen, .afterFinishOpen, .afterClaimWait],
            timePasses: true,
            configure: { $0.connectDelay = .milliseconds(10) },
            prepare: { try await $0.lease(1) },
            act: { scene in
                scene.clock.advance(by: .milliseconds(10))
                try await eventually("a second one is opened, or the pool is at its end") {
                    scene.strategy.books.opened > 1 || scene.pool.statistics.waiting == 0
                        || scene.strategy.hooks.isEmpty
                }
                scene.releaseAll()
            }
        )
        .run(kind)
    }

    @Test(
        "While a failed attempt to open is repeated, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func reopening(kind: CoreKind) async throws {
        try await InterleavingPlay(
            byWayOf: [
                .beforeCancelOpen, .afterCancelOpen, .beforeRequeueWait, .afterRequeueWait, .beforeBeginOpen,
                .afterBeginOpen,
            ],
            timePasses: true,
            configure: { $0.connectRetry = ConnectionBackoff() },
            prepare: { $0.failFirstOpen() },
            act: { $0.gate.open() }
        )
        .run(kind)
    }

    @Test(
        "While a connection that is leased is evicted, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func evicting(kind: CoreKind) async throws {
        try await InterleavingPlay(
            byWayOf: [
                .beforeBeginClose, .afterBeginClose, .beforeFinishClose, .afterFinishClose, .afterBeginOpen,
                .afterClaimWait,
            ],
            prepare: { try await $0.lease(1) },
            act: { scene in
                scene.pool.evictAll(over: nil)
                scene.releaseAll()
            }
        )
        .run(kind)
    }

    @Test(
        "While idle connections are looked through, whatever happens at any moment, nothing is lost",
        arguments: CoreKind.cores
    )
    func sweeping(kind: CoreKind) async throws {
        try await InterleavingPlay(
            burstLimit: 2,
            byWayOf: [.beforeTakeUnswept, .afterTakeUnswept, .beforeReturnSwept, .afterReturnSwept, .beforeBeginClose],
            timePasses: true,
            configure: {
                $0.idleTimeout = .seconds(1)
                $0.burstLinger = .seconds(1)
            },
            prepare: { scene in
                try await scene.lease(2)
                scene.releaseAll()
                scene.pool.pause()
            },
            act: { scene in
                for _ in 0..<30 {
                    scene.clock.advance(by: .milliseconds(100))
                    await letOthersRun()
                }
            }
        )
        .run(kind)
    }
}

extension InterleavingPlay.Scene {
    /// Connections open only when the gate is open, and the first one does not.
    fileprivate func failFirstOpen() {
        strategy.onOpen { [gate] attempt in
            await gate.pass()
            if attempt == 1 { throw TestError("refused") }
        }
    }
}
