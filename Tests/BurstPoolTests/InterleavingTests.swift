// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

/// Runs each interference at each moment between the engine and its core, so that races need no luck.
@Suite(.timeLimit(.minutes(5)))
struct InterleavingTests {
    @Test(
        "While a connection is released to waiters, nothing is lost, whatever happens at any moment",
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
        "While an excess connection is released, nothing is lost, whatever happens at any moment",
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

    @Test("While a connection opens, nothing is lost, whatever happens at any moment", arguments: CoreKind.cores)
    func opening(kind: CoreKind) async throws {
        try await InterleavingPlay(
            byWayOf: [.beforeFinishOpen, .afterFinishOpen, .beforeClaimWait, .afterClaimWait],
            prepare: { scene in scene.strategy.onOpen { [gate = scene.gate] _ in await gate.pass() } },
            act: { $0.gate.open() }
        )
        .run(kind)
    }

    @Test(
        "While a connection fails to open, nothing is lost, whatever happens at any moment",
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
        "While a dead connection is replaced, nothing is lost, whatever happens at any moment",
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

/// The same with optional features of the pool.
@Suite(.timeLimit(.minutes(5)))
struct OptionInterleavingTests {
    @Test("While a connection is reset, nothing is lost, whatever happens at any moment", arguments: CoreKind.cores)
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

    @Test("While a failed reset is handled, nothing is lost, whatever happens at any moment", arguments: CoreKind.cores)
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

    @Test("While a paused pool resumes, nothing is lost, whatever happens at any moment", arguments: CoreKind.cores)
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
        "While a connection is validated for waiters, nothing is lost, whatever happens at any moment",
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
        "While a connection is opened after a delay, nothing is lost, whatever happens at any moment",
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
                try await eventually("a second connection is opened, or the pool has reached its limit") {
                    scene.strategy.books.opened > 1 || scene.pool.statistics.waiting == 0
                        || scene.strategy.hooks.isEmpty
                }
                scene.releaseAll()
            }
        )
        .run(kind)
    }

    @Test(
        "While a failed connect is retried, nothing is lost, whatever happens at any moment",
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
        "While a leased connection is evicted, nothing is lost, whatever happens at any moment",
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
        "While idle connections are swept, nothing is lost, whatever happens at any moment",
        arguments: CoreKind.cores
    )
    func sweeping(kind: CoreKind) async throws {
        try await InterleavingPlay(
            burstLimit: 2,
            byWayOf: [.beforeSweepNext, .afterSweepNext, .beforeSweepEnd, .afterSweepEnd, .beforeBeginClose],
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
    /// Connections open only when the gate is open, and the first connect fails.
    fileprivate func failFirstOpen() {
        strategy.onOpen { [gate] attempt in
            await gate.pass()
            if attempt == 1 { throw TestError("refused") }
        }
    }
}
