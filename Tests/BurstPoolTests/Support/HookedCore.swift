// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// A moment between the engine and its core at which a test can act.
enum CoreMoment: CaseIterable, Sendable {
    case beforeTryAcquire, beforeRelease, afterRelease
    case beforeBeginOpen, afterBeginOpen, beforeFinishOpen, afterFinishOpen, beforeCancelOpen, afterCancelOpen
    case beforeBeginClose, afterBeginClose, beforeBeginCloseExcess, afterBeginCloseExcess
    case beforeFinishClose, afterFinishClose
    case afterPrepareWait, beforeJoinWait, afterJoinWait, beforeClaimWait, afterClaimWait
    case beforeHandOff, afterHandOff, beforeExpire, afterExpire
    case beforeRequeueWait, afterRequeueWait
    case afterSomebodyWaits, afterHasExcess, beforeTakeIdle, afterTakeIdle, beforeReturnIdle, afterReturnIdle
    case beforeSweepNext, afterSweepNext, beforeSweepKeep, afterSweepKeep, beforeSweepEnd, afterSweepEnd
    case beforeBeginOpenUnrequested, afterBeginOpenUnrequested, beforeDetach, afterDetach
    case beforePause, afterPause, beforeResume, afterResume, beforeResize, afterResize
    case beforeTotal, afterNextDeadline
}

/// The actions of a test. Each action runs once, the first time that its moment is reached.
final class CoreHooks: Sendable {
    private struct Plan {
        var actions: [CoreMoment: @Sendable () -> Void] = [:]
        var underway = 0
    }

    private let plan = Mutex(Plan())
    /// A number of slots that the core counts as if a thread that looks for work held them.
    let heldSlots = Atomic<Int>(0)

    /// Whether `takeIdle()` passes over one connection, as a thread does which looks at another stripe first.
    let takesFromElsewhere = Atomic(false)

    func at(_ moment: CoreMoment, _ action: @escaping @Sendable () -> Void) {
        plan.withLock { $0.actions[moment] = action }
    }

    func clear() {
        plan.withLock { $0.actions = [:] }
    }

    var isEmpty: Bool { plan.withLock { $0.actions.isEmpty } }

    /// Whether no action is running. After ``clear()`` none will run: the ones that had begun have ended.
    var isQuiet: Bool { plan.withLock { $0.underway == 0 } }

    func reach(_ moment: CoreMoment) {
        let action = plan.withLock { plan in
            let action = plan.actions.removeValue(forKey: moment)
            if action != nil { plan.underway += 1 }
            return action
        }
        guard let action else { return }
        action()
        plan.withLock { $0.underway -= 1 }
    }
}

/// A core with hooks around another core, so that races need no luck. For engines of ``TestStrategy`` only.
struct HookedCore<Base: _PoolCore>: _PoolCore {
    private let base: Base
    private let hooks: CoreHooks

    init(_ configuration: _PoolCoreConfiguration) throws(_PoolCoreFailure) {
        let owner = configuration.owner.takeUnretainedValue()
        base = try Base(configuration)
        guard let strategy = owner as? TestStrategy else {
            fatalError("the strategy must be a TestStrategy, which has the hooks")
        }
        hooks = strategy.hooks
    }

    private func between<Value>(_ before: CoreMoment, _ after: CoreMoment, _ call: () -> Value) -> Value {
        hooks.reach(before)
        let value = call()
        hooks.reach(after)
        return value
    }

    func destroy() { base.destroy() }

    func tryAcquire() -> Base.Lease? {
        hooks.reach(.beforeTryAcquire)
        return base.tryAcquire()
    }

    func release(_ lease: Base.Lease) -> Bool { between(.beforeRelease, .afterRelease) { base.release(lease) } }
    func element(of lease: Base.Lease) -> UnsafeMutableRawPointer { base.element(of: lease) }

    func serial(of lease: Base.Lease) -> UInt64 { base.serial(of: lease) }

    func beginOpen() -> _PoolCoreOpening<Base.Ticket, Base.Lease> {
        between(.beforeBeginOpen, .afterBeginOpen) { base.beginOpen() }
    }
    func beginOpenUnrequested() -> Base.Lease? {
        between(.beforeBeginOpenUnrequested, .afterBeginOpenUnrequested) { base.beginOpenUnrequested() }
    }
    func finishOpen(_ permit: Base.Lease) { between(.beforeFinishOpen, .afterFinishOpen) { base.finishOpen(permit) } }
    func cancelOpen(_ permit: Base.Lease) { between(.beforeCancelOpen, .afterCancelOpen) { base.cancelOpen(permit) } }
    func beginClose(_ lease: Base.Lease) { between(.beforeBeginClose, .afterBeginClose) { base.beginClose(lease) } }
    func beginCloseExcess(_ lease: Base.Lease) -> Bool {
        between(.beforeBeginCloseExcess, .afterBeginCloseExcess) { base.beginCloseExcess(lease) }
    }
    func beginCloseAboveHardLimit(_ lease: Base.Lease) -> Bool { base.beginCloseAboveHardLimit(lease) }
    func finishClose(_ lease: Base.Lease) {
        between(.beforeFinishClose, .afterFinishClose) { base.finishClose(lease) }
    }
    func detach(_ lease: Base.Lease) { between(.beforeDetach, .afterDetach) { base.detach(lease) } }

    func prepareWait() throws(_PoolCoreFailure) -> Base.Ticket {
        let ticket = try base.prepareWait()
        hooks.reach(.afterPrepareWait)
        return ticket
    }
    func joinWait(_ ticket: Base.Ticket, context: UnsafeRawPointer, deadline: UInt64) -> _PoolCoreJoining {
        between(.beforeJoinWait, .afterJoinWait) { base.joinWait(ticket, context: context, deadline: deadline) }
    }
    func claimWait(_ ticket: Base.Ticket) -> _PoolCoreClaim {
        between(.beforeClaimWait, .afterClaimWait) { base.claimWait(ticket) }
    }
    func requeueWait(_ ticket: Base.Ticket) -> Bool {
        between(.beforeRequeueWait, .afterRequeueWait) { base.requeueWait(ticket) }
    }
    func handOff() -> UnsafeRawPointer? { between(.beforeHandOff, .afterHandOff) { base.handOff() } }
    func expire(now: UInt64, _ resume: (UnsafeRawPointer) -> Void) -> UInt64? {
        between(.beforeExpire, .afterExpire) { base.expire(now: now, resume) }
    }
    var nextDeadline: UInt64? {
        let deadline = base.nextDeadline
        hooks.reach(.afterNextDeadline)
        return deadline
    }
    var waiting: Int { base.waiting }

    var queued: Int { base.queued }
    func number(of ticket: Base.Ticket) -> UInt64 { base.number(of: ticket) }

    var hasWaiters: Bool {
        defer { hooks.reach(.afterSomebodyWaits) }
        return base.hasWaiters
    }
    var hasPermitForWaiter: Bool { base.hasPermitForWaiter }
    var hasExcess: Bool {
        defer { hooks.reach(.afterHasExcess) }
        return base.hasExcess
    }
    func takeIdle() -> Base.Lease? {
        between(.beforeTakeIdle, .afterTakeIdle) {
            guard let first = base.takeIdle() else { return nil }
            guard hooks.takesFromElsewhere.load(ordering: .relaxed), let second = base.takeIdle() else { return first }
            base.returnIdle(first)
            return second
        }
    }
    func returnIdle(_ lease: Base.Lease) { between(.beforeReturnIdle, .afterReturnIdle) { base.returnIdle(lease) } }

    func sweepNext() -> Base.Lease? { between(.beforeSweepNext, .afterSweepNext) { base.sweepNext() } }
    func sweepKeep(_ lease: Base.Lease) -> Bool { between(.beforeSweepKeep, .afterSweepKeep) { base.sweepKeep(lease) } }
    func sweepEnd() -> Bool? { between(.beforeSweepEnd, .afterSweepEnd) { base.sweepEnd() } }

    func pause() { between(.beforePause, .afterPause) { base.pause() } }
    func resume() { between(.beforeResume, .afterResume) { base.resume() } }
    var isPaused: Bool { base.isPaused }
    func resize(_ limits: _PoolCoreLimits) -> Bool {
        between(.beforeResize, .afterResize) { base.resize(limits) }
    }
    func shutdown() { base.shutdown() }
    var isShutDown: Bool { base.isShutDown }
    var limits: _PoolCoreLimits { base.limits }
    var total: Int {
        hooks.reach(.beforeTotal)
        return base.total + hooks.heldSlots.load(ordering: .acquiring)
    }
    var counts: _PoolCoreCounts { base.counts }
    func slot(at index: Int) -> _PoolCoreSlot<Base.Lease>? { base.slot(at: index) }
    func observeLeases(now: UInt64, interval: UInt64) { base.observeLeases(now: now, interval: interval) }
    func oldestLeaseAge(now: UInt64) -> UInt64 { base.oldestLeaseAge(now: now) }
}
