// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Dispatch
import Foundation
import Testing

/// Plays one combination in virtual time: sets up the scene, reaches the stage, interrupts it, and then ends everything
/// step by step: the stage, slow calls, leases, calls that exceed their time limit, and calls that never return.
///
/// The pool has to come to rest after each step. Therefore a hang is a failure that says where it happened, and no
/// result depends on which of two operations is faster.
struct FaultScene {
    static let patience = Duration.seconds(2)
    /// The time limit for connecting, validating and closing.
    static let allowance = Duration.seconds(60)
    static let drainTime = Duration.seconds(30)

    let combination: Combination
    let pool: TestPool
    let strategy: TestStrategy
    let clock: ManualClock
    let observer: RecordingObserver
    let script: FaultScript
    private let leases = Shared<[TestLease<TestConnection>]>([])
    private let callers = Shared<[MatrixCaller]>([])
    private let subject = Shared<MatrixCaller?>(nil)
    private let shutdowns = Shared<[Shared<Bool>]>([])

    private var stage: Stage { combination.stage }
    private var interruption: Interruption { combination.interruption }
    private var fault: Fault { combination.fault }
    private var endsPool: Bool { interruption == .drained || interruption == .aborted }

    /// - Returns: Whether the fault occurred.
    static func play(_ combination: Combination, _ kind: CoreKind) async throws -> Bool {
        let stage = combination.stage
        // The server counts a closing connection until the close has ended. The pool counts it until `closeTimeout`
        // has passed.
        let isGivenUp = combination.fault.call == .closeConnection && combination.fault.isHeldUp
        var wasMet = false
        try await withTimedPool(
            kind,
            maxSize: stage == .shrinking ? 2 : 3,
            burstLimit: stage == .shrinking ? 3 : nil,
            mostEver: (combination.interruption == .grown ? 4 : 3) + (isGivenUp ? 1 : 0),
            configure: {
                $0.connectTimeout = allowance
                $0.validationTimeout = allowance
                $0.closeTimeout = allowance
                $0.resetsConnections = stage.resetsConnections
                if stage == .validating { $0.validateAfterIdle = .seconds(1600) }
            }
        ) { pool, strategy, clock, observer in
            let script = FaultScript(combination, clock)
            script.install(on: strategy)
            defer { script.letGo() }
            let scene = FaultScene(
                combination: combination,
                pool: pool,
                strategy: strategy,
                clock: clock,
                observer: observer,
                script: script
            )
            try await scene.play()
            wasMet = script.wasMet
        }
        return wasMet
    }

    private func play() async throws {
        let subject = try await reachStage()
        if !stage.isWithinCheck { interrupt(subject) }
        if combination.endsWait { try await come("the caller has its outcome") { subject.outcome != nil } }
        try await rest("after the interruption")
        script.endStage()
        try await rest("after the stage")
        clock.advance(by: Fault.slowness)
        try await rest("after the slow call")
        if fault.behaviour == .returnsAfterCancellation {
            clock.advance(by: Self.allowance)
            try await rest("after the cancelled call")
        }
        subject.mayReturn()
        try await rest("after the caller's release")
        while let lease = leases.change({ $0.popLast() }) {
            lease.release()
            try await rest("after a release")
        }
        script.disarm()
        try await useOtherSlots()
        clock.advance(by: Self.allowance)
        try await come("the caller's call has ended") { subject.outcome != nil }
        try await rest("after the call that exceeds its time limit")
        #expect(
            combination.isExpected(subject.outcome),
            "\(combination): \(String(describing: subject.outcome)), not \(combination.expectedOutcome)"
        )
        if interruption == .drained {
            try await come("the drain time has passed") { shutdowns.value.allSatisfy(\.value) }
        }
        script.letGo()
        try await rest("after the call that never returns")
        try await useAllSlots()
        try await seeErrorsTold(subject)
        try await end()
    }

    // MARK: The stage

    private func reachStage() async throws -> MatrixCaller {
        let timeout = interruption == .deadlinePassed ? Self.patience : nil
        switch stage {
        case .takingIdle:
            try await take(2)
            try await releaseOne()
            script.arm(duringCheck: { [self] in
                // The caller begins before this function knows it.
                while subject.value == nil { usleep(100) }
                if let subject = subject.value { interrupt(subject) }
            })
            let caller = call(timeout: timeout)
            try await come("a connection is being acquired") { script.isWithinCheckNoMore }
            return caller
        case .opening:
            try await take(2)
            script.arm()
            let subject = call(timeout: timeout)
            try await stand()
            return subject
        case .queued:
            try await take(3)
            script.arm()
            return try await wait(timeout: timeout)
        case .beingHandedOver:
            try await take(3)
            let subject = try await wait(timeout: timeout)
            script.arm(duringCheck: { [self] in
                interrupt(subject)
                waitForInterruption(of: subject)
            })
            let lease = leases.change { $0.removeLast() }
            // On a thread that may block.
            DispatchQueue.global().async { lease.release() }
            try await come("a connection is being handed off") { script.isWithinCheckNoMore }
            return subject
        case .validating:
            try await take(2)
            try await releaseOne()
            try await letIdleGetStale()
            script.arm()
            let subject = call(timeout: timeout)
            try await stand()
            return subject
        case .resetting:
            try await take(3)
            let subject = try await wait(timeout: timeout)
            script.arm()
            leases.change { $0.removeLast() }.release()
            try await stand()
            return subject
        case .closing:
            try await take(3)
            let subject = try await wait(timeout: timeout)
            script.arm()
            leases.change { $0.removeLast() }.discard()
            try await stand()
            return subject
        case .shrinking:
            try await take(2)
            let subject = call(timeout: timeout)
            try await come("the caller has a connection") { subject.isUsing }
            script.arm()
            subject.mayReturn()
            try await stand()
            return subject
        }
    }

    private func take(_ count: Int) async throws {
        for _ in 0..<count {
            let lease = try await pool.acquire()
            leases.change { $0.append(lease) }
        }
    }

    private func releaseOne() async throws {
        leases.change { $0.removeLast() }.release()
        try await rest("with one idle connection")
    }

    /// Maintenance has to see the idle connection twice: when its idle time begins, and when it has ended.
    private func letIdleGetStale() async throws {
        await pool.finishMaintenance()
        for time in [100, 100, 1700, 100] {
            clock.advance(by: .seconds(time))
            await pool.finishMaintenance()
        }
    }

    private func call(timeout: Duration?) -> MatrixCaller {
        let caller = MatrixCaller(pool, timeout: timeout)
        callers.change { $0.append(caller) }
        subject.set(caller)
        return caller
    }

    private func wait(timeout: Duration?) async throws -> MatrixCaller {
        let caller = call(timeout: timeout)
        try await come("the caller waits") { caller.isSuspended && pool.statistics.waiting == 1 }
        try await seeDeadline()
        return caller
    }

    private func stand() async throws {
        try await come("the stage is reached") { script.stands }
        if stage.isWaiting { try await seeDeadline() }
    }

    private func seeDeadline() async throws {
        guard interruption == .deadlinePassed else { return }
        try await come("the timeout is running") { clock.wakes(within: Self.patience) }
    }

    // MARK: What happens

    private func interrupt(_ subject: MatrixCaller) {
        switch interruption {
        case .nothing: break
        case .callerCancelled: subject.cancel()
        case .deadlinePassed: clock.advance(by: Self.patience)
        case .grown: resize(maxSize: stage == .shrinking ? 3 : 4, burstLimit: stage == .shrinking ? 4 : nil)
        case .shrunk: resize(maxSize: stage == .shrinking ? 1 : 2, burstLimit: stage == .shrinking ? 2 : nil)
        case .drained: shutDown { await $0.shutdown(drainFor: Self.drainTime) }
        case .aborted: shutDown { await $0.abort() }
        }
    }

    private func resize(maxSize: Int, burstLimit: Int?) {
        #expect(throws: Never.self, "\(combination)") { try pool.resize(maxSize: maxSize, burstLimit: burstLimit) }
    }

    /// Runs this call up to the point where it waits for connections to be closed.
    private func shutDown(_ body: @escaping @Sendable (TestPool) async -> Void) {
        let hasReturned = Shared(false)
        shutdowns.change { $0.append(hasReturned) }
        Task(executorPreference: InlineExecutor()) { [pool] in
            await body(pool)
            hasReturned.set(true)
        }
    }

    /// Waits where another task ends the caller's wait, because this test does not ask which of the two is first.
    private func waitForInterruption(of subject: MatrixCaller) {
        let isDue: () -> Bool
        switch interruption {
        case .deadlinePassed: isDue = { subject.outcome != nil }
        case .grown: isDue = { subject.outcome != nil || subject.isUsing || script.isHeldUp }
        default: return
        }
        for _ in 0..<200_000 where !isDue() { usleep(100) }
    }

    // MARK: What must hold

    private func come(
        _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () -> Bool
    ) async throws {
        try await eventually("\(combination): \(what)", sourceLocation: sourceLocation, condition)
    }

    /// Waits until nothing more happens without a further step. Then no waiter waits beside a connection that could
    /// serve it.
    private func rest(_ when: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        var quietLooks = 0
        try await come("the pool rests \(when)", sourceLocation: sourceLocation) {
            quietLooks = isAtRest ? quietLooks + 1 : 0
            return quietLooks == 3
        }
    }

    private var isAtRest: Bool {
        let statistics = pool.statistics
        // Each slot that is not idle belongs to a lease, a connect or a close.
        let busy = statistics.inUse + statistics.opening + statistics.closing
        let callers = callers.value
        let known = script.underWay + leases.value.count + callers.count(where: \.isUsing)
        guard script.isStill, busy == known - (script.isGivenUp ? 1 : 0) else { return false }
        if combination.tellsCaller, script.hasFailed, let subject = subject.value {
            guard subject.outcome != nil || subject.isUsing else { return false }
        }
        let undecided = callers.count { $0.outcome == nil && !$0.isUsing }
        guard undecided <= statistics.waiting + script.underWay else { return false }
        if statistics.maxSize == 0 { return statistics.waiting == 0 && statistics.idle == 0 }
        // A connection that is being validated will serve a waiter.
        let validated = stage == .validating ? script.underWay : 0
        let unserved = statistics.waiting - statistics.opening - validated
        if unserved > 0, statistics.idle > 0 || statistics.total < limit(statistics) { return false }
        return statistics.idle == 0 || statistics.total - statistics.closing <= statistics.maxSize
    }

    private func limit(_ statistics: ConnectionPoolStatistics) -> Int {
        statistics.burstLimit ?? statistics.maxSize
    }

    /// Checks that a call that does not return holds its own slot and nothing else: all other slots serve callers, and
    /// there are more callers than slots.
    private func useOtherSlots() async throws {
        let others = (0..<6).map { _ in MatrixCaller(pool, keeps: false) }
        callers.change { $0 += others }
        try await come("other callers are served") { others.allSatisfy { $0.outcome != nil } }
        let expected: CallerOutcome = endsPool ? .shutDown : .served
        #expect(others.allSatisfy { $0.outcome == expected }, "\(combination)")
        try await rest("after other callers")
        try await come("only its own slot is held") {
            let statistics = pool.statistics
            return statistics.total - statistics.idle == (script.isHeldUp && !script.isGivenUp ? 1 : 0)
        }
    }

    private func useAllSlots() async throws {
        try await come("all open connections are idle") {
            let statistics = pool.statistics
            return statistics.total == statistics.idle && statistics.idle == strategy.books.openNow
        }
        guard !endsPool else { return }
        let all = (0..<limit(pool.statistics)).map { _ in MatrixCaller(pool) }
        callers.change { $0 += all }
        try await come("all slots are in use") { all.allSatisfy(\.isUsing) }
        for caller in all { caller.mayReturn() }
        try await rest("after all slots were used")
    }

    /// Checks that an error is reported once, to the right receiver. The observer may get it a moment after the slot is
    /// free.
    private func seeErrorsTold(_ subject: MatrixCaller) async throws {
        guard script.wasMet, fault.behaviour == .fails else { return }
        switch fault.call {
        case .closeConnection:
            try await come("the close error is reported once") {
                observer.closeErrors.count + (subject.outcome == .strategyError ? 1 : 0) == 1
            }
        case .makeConnection, .prepareConnection:
            try await come("the connect error is reported to the observer once") {
                observer.openErrors == [FaultScript.error]
            }
        case .connectionIsClosed, .resetConnection, .validateConnection:
            #expect(observer.closeErrors.isEmpty && observer.openErrors.isEmpty, "\(combination)")
        }
    }

    private func end() async throws {
        shutDown { await $0.shutdown() }
        try await come("the pool is shut down") { shutdowns.value.allSatisfy(\.value) }
        let statistics = pool.statistics
        #expect(statistics.total == 0 && statistics.waiting == 0, "\(combination): \(statistics)")
        strategy.followNoScript()
    }
}
