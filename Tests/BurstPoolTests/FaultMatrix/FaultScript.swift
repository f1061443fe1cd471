// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Synchronization

/// Controls a ``TestStrategy`` in the matrix: all calls succeed, except the one with the fault, and one call blocks
/// while the stage lasts.
final class FaultScript: Sendable {
    private struct State {
        var stageIsToCome = false
        var faultIsToCome = false
        var wasMet = false
        var hasFailed = false
        var heldUpSince: ManualClock.Instant?
        var standing = 0
        var stageHasEnded = false
        var isLetGo = false
        var underWay = 0
        var duringCheck: (@Sendable () -> Void)?
    }

    static let error = TestError("fault")

    private let fault: Fault
    private let stage: Stage
    private let clock: ManualClock
    private let state = Mutex(State())
    private let stageGate = Gate()
    private let letGoGate = Gate()

    init(_ combination: Combination, _ clock: ManualClock) {
        fault = combination.fault
        stage = combination.stage
        self.clock = clock
    }

    /// Whether a call blocks at the stage.
    var stands: Bool { stageGate.held > 0 }
    /// Whether no call makes progress: all running calls are blocked, and nothing has released them.
    var isStill: Bool {
        state.withLock { state in
            let standing = state.stageHasEnded ? 0 : state.standing
            return state.underWay == standing + (staysHeldUp(state) ? 1 : 0)
        }
    }

    private func staysHeldUp(_ state: State) -> Bool {
        guard let since = state.heldUpSince, !state.isLetGo else { return false }
        let time = since.duration(to: clock.now)
        switch fault.behaviour {
        case .slow: return time < Fault.slowness
        case .returnsAfterCancellation: return time < FaultScene.allowance || !fault.call.isCancelledInTime
        default: return true
        }
    }

    /// Whether the pool no longer counts a call that has not ended.
    var isGivenUp: Bool {
        guard fault.call == .closeConnection, let since = state.withLock({ $0.heldUpSince }) else { return false }
        return since.duration(to: clock.now) >= FaultScene.allowance
    }

    /// Whether the fault occurred.
    var wasMet: Bool { state.withLock { $0.wasMet } }
    /// Whether a call has thrown an error.
    var hasFailed: Bool { state.withLock { $0.hasFailed } }
    /// Whether a call that is slow, or does not return, is running.
    var isHeldUp: Bool { state.withLock { $0.heldUpSince != nil } }
    /// The number of calls that have begun and not ended, without those that do not suspend.
    var underWay: Int { state.withLock { $0.underWay } }
    var isWithinCheckNoMore: Bool { state.withLock { $0.duringCheck == nil } }

    func install(on strategy: TestStrategy) {
        strategy.onOpen { [self] _ in _ = try await run(.makeConnection) }
        strategy.onPrepare { [self] _ in _ = try await run(.prepareConnection) }
        strategy.onCheck { [self] _ in try check() }
        strategy.onValidate { [self] _ in try await run(.validateConnection) }
        strategy.onReset { [self] _ in _ = try await run(.resetConnection) }
        strategy.onClose { [self] _ in _ = try await run(.closeConnection) }
    }

    /// From now on, the next call of this kind has the fault.
    ///
    /// - Parameter duringCheck: Runs once, while a connection is asked whether it is closed.
    func arm(duringCheck: (@Sendable () -> Void)? = nil) {
        state.withLock { state in
            state.stageIsToCome = true
            state.faultIsToCome = true
            state.duringCheck = duringCheck
        }
    }

    /// Prevents a fault that has not occurred yet.
    func disarm() {
        state.withLock { $0.faultIsToCome = false }
    }

    func endStage() {
        state.withLock { $0.stageHasEnded = true }
        stageGate.open()
    }

    /// Ends all blocked calls, including one that never returns.
    func letGo() {
        disarm()
        endStage()
        letGoNow()
    }

    private func letGoNow() {
        state.withLock { $0.isLetGo = true }
        letGoGate.open()
    }

    private func takesFault(_ call: StrategyCall, _ state: inout State) -> Bool {
        guard state.faultIsToCome, call == fault.call else { return false }
        state.faultIsToCome = false
        state.wasMet = true
        return true
    }

    private func check() throws -> Bool {
        let (isFaulty, duringCheck) = state.withLock { state in
            (takesFault(.connectionIsClosed, &state), state.duringCheck)
        }
        if let duringCheck {
            duringCheck()
            state.withLock { $0.duringCheck = nil }
        }
        guard isFaulty else { return false }
        switch fault.behaviour {
        case .fails: throw fail(Self.error)
        case .failsAsCancelled: throw fail(CancellationError())
        default: return fault.behaviour == .saysNo
        }
    }

    private func fail(_ error: any Error) -> any Error {
        state.withLock { $0.hasFailed = true }
        return error
    }

    private func run(_ call: StrategyCall) async throws -> Bool {
        let (isStage, isFaulty) = state.withLock { state in
            state.underWay += 1
            let isStage = state.stageIsToCome && call == stage.standsIn
            if isStage {
                state.stageIsToCome = false
                state.standing += 1
            }
            return (isStage, takesFault(call, &state))
        }
        defer { state.withLock { $0.underWay -= 1 } }
        if isStage {
            await stageGate.pass()
            state.withLock { $0.standing -= 1 }
        }
        return isFaulty ? try await misbehave() : true
    }

    private func misbehave() async throws -> Bool {
        switch fault.behaviour {
        case .succeeds: return true
        case .fails: throw fail(Self.error)
        case .failsAsCancelled: throw fail(CancellationError())
        case .saysNo: return false
        case .slow, .neverReturns, .returnsAfterCancellation: break
        }
        let now = clock.now
        state.withLock { $0.heldUpSince = now }
        defer { state.withLock { $0.heldUpSince = nil } }
        switch fault.behaviour {
        case .slow:
            // In a task that is never cancelled.
            let end = now.advanced(by: Fault.slowness)
            await Task.detached { [clock] in try? await clock.sleep(until: end, tolerance: nil) }.value
        case .returnsAfterCancellation:
            await withTaskCancellationHandler {
                await letGoGate.pass()
            } onCancel: {
                letGoNow()
            }
        default:
            await letGoGate.pass()
        }
        return true
    }
}
