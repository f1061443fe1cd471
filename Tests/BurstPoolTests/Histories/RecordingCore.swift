// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// What a strategy needs so that its pool's core can be recorded.
protocol RecordedStrategy: AnyObject {
    var recorder: HistoryRecorder { get }
    /// The fault of the core, which tests the check of its history. `nil` means none.
    var fault: CoreFault? { get }
}

/// A behaviour that no history of a pool may show.
enum CoreFault: CaseIterable, Sendable {
    case newCallersOvertake, opensOneMoreThanAllowed, miscounts
}

/// A core that records each call of another core, with a random pause before it. Only for engines whose strategy is a
/// ``RecordedStrategy``.
struct RecordingCore<Base: _PoolCore>: _PoolCore {
    struct Lease: Sendable {
        let base: Base.Lease
        let ownership: UInt64
    }

    struct Ticket: Sendable {
        let base: Base.Ticket
        let asked: UInt64
    }

    private let base: Base
    private let recorder: HistoryRecorder
    private let fault: CoreFault?

    init(_ configuration: _PoolCoreConfiguration) throws(_PoolCoreFailure) {
        let owner = configuration.owner.takeUnretainedValue()
        guard let strategy = owner as? any RecordedStrategy else {
            fatalError("the strategy is not a RecordedStrategy")
        }
        recorder = strategy.recorder
        fault = strategy.fault
        var configuration = configuration
        if fault == .opensOneMoreThanAllowed { configuration.limits.hardLimit += 1 }
        base = try Base(configuration)
    }

    func destroy() { base.destroy() }

    // MARK: Recording

    /// Makes a call, and records the event that `event` returns for its result, if any.
    private func record<Value>(_ call: () -> Value, _ event: (Value) -> HistoryEvent?) -> Value {
        let log = recorder.log
        log.pauseSomewhat()
        let begin = historyNow()
        let value = call()
        let end = historyNow()
        if var event = event(value) {
            event.begin = begin
            event.end = end
            log.append(event)
        }
        return value
    }

    private func made(_ kind: HistoryEvent.Kind) -> HistoryEvent { HistoryEvent(kind, 0, 0) }

    private func made(_ kind: HistoryEvent.Kind, _ lease: Lease) -> HistoryEvent {
        var event = made(kind)
        event.slot = UInt(bitPattern: base.element(of: lease.base))
        event.ownership = lease.ownership
        return event
    }

    private func made(_ kind: HistoryEvent.Kind, _ ticket: UInt64) -> HistoryEvent {
        var event = made(kind)
        event.ticket = ticket
        return event
    }

    private func lease(_ base: Base.Lease) -> Lease { Lease(base: base, ownership: recorder.log.uniqueNumber()) }

    /// Identifies a waiting caller to the base core, so that the recorder knows it when it leaves.
    private final class Context {
        let real: UnsafeRawPointer
        let ticket: UInt64

        init(_ real: UnsafeRawPointer, _ ticket: UInt64) {
            self.real = real
            self.ticket = ticket
        }

        static func of(_ opaque: UnsafeRawPointer) -> Context {
            Unmanaged<Context>.fromOpaque(opaque).takeRetainedValue()
        }
    }

    // MARK: Leases

    func tryAcquire() -> Lease? {
        record {
            (fault == .newCallersOvertake ? base.takeIdle() : base.tryAcquire()).map(lease)
        } _: {
            $0.map { made(.take, $0) }
        }
    }

    func takeIdle() -> Lease? {
        record {
            base.takeIdle().map(lease)
        } _: {
            $0.map { made(.takeIdle, $0) }
        }
    }

    func release(_ lease: Lease) -> Bool {
        let event = made(.release, lease)
        return record {
            base.release(lease.base)
        } _: { _ in
            event
        }
    }

    func returnIdle(_ lease: Lease) {
        let event = made(.release, lease)
        record {
            base.returnIdle(lease.base)
        } _: { _ in
            event
        }
    }

    func element(of lease: Lease) -> UnsafeMutableRawPointer { base.element(of: lease.base) }

    func serial(of lease: Lease) -> UInt64 { base.serial(of: lease.base) }

    // MARK: Opening and closing

    func beginOpen() -> _PoolCoreOpening<Ticket, Lease> {
        record {
            switch base.beginOpen() {
            case .opening(let ticket, let permit): .opening(Ticket(base: ticket, asked: 0), permit: lease(permit))
            case .nothing: .nothing
            case .outOfMemory: .outOfMemory
            }
        } _: { opening in
            guard case .opening(let ticket, let permit) = opening else { return made(.openForNoWaiter) }
            var event = made(.beginOpen, permit)
            event.ticket = base.number(of: ticket.base)
            return event
        }
    }

    func finishOpen(_ permit: Lease) {
        let event = made(.finishOpen, permit)
        record {
            base.finishOpen(permit.base)
        } _: { _ in
            event
        }
    }

    func cancelOpen(_ permit: Lease) {
        let event = made(.cancelOpen, permit)
        record {
            base.cancelOpen(permit.base)
        } _: { _ in
            event
        }
    }

    func beginClose(_ lease: Lease) {
        let event = made(.beginClose, lease)
        record {
            base.beginClose(lease.base)
        } _: { _ in
            event
        }
    }

    func beginCloseExcess(_ lease: Lease) -> Bool {
        recordClose(.beginCloseExcess, lease) { base.beginCloseExcess(lease.base) }
    }

    func beginCloseAboveHardLimit(_ lease: Lease) -> Bool {
        recordClose(.beginCloseAboveHardLimit, lease) { base.beginCloseAboveHardLimit(lease.base) }
    }

    private func recordClose(_ kind: HistoryEvent.Kind, _ lease: Lease, _ begin: () -> Bool) -> Bool {
        let event = made(kind, lease)
        return record(begin) { $0 ? event : nil }
    }

    func finishClose(_ lease: Lease) {
        let event = made(.finishClose, lease)
        record {
            base.finishClose(lease.base)
        } _: {
            event
        }
    }

    // Not recorded, because connections that no caller asked for, and detached ones, are in no history.
    func beginOpenUnrequested() -> Lease? { base.beginOpenUnrequested().map(lease) }
    func detach(_ lease: Lease) { base.detach(lease.base) }

    // MARK: Sweeping

    func sweepNext() -> Lease? {
        record {
            base.sweepNext().map(lease)
        } _: {
            $0.map { made(.takeIdle, $0) }
        }
    }

    func sweepKeep(_ lease: Lease) -> Bool {
        let event = made(.release, lease)
        return record {
            base.sweepKeep(lease.base)
        } _: { _ in
            event
        }
    }

    /// The connection is idle before and afterwards, so there is no event.
    func sweepEnd() -> Bool? {
        recorder.log.pauseSomewhat()
        return base.sweepEnd()
    }

    // MARK: Waiting

    func prepareWait() throws(_PoolCoreFailure) -> Ticket {
        recorder.log.pauseSomewhat()
        let asked = historyNow()
        return Ticket(base: try base.prepareWait(), asked: asked)
    }

    func joinWait(_ ticket: Ticket, context: UnsafeRawPointer, deadline: UInt64) -> _PoolCoreJoining {
        let number = base.number(of: ticket.base)
        let context = Unmanaged.passRetained(Context(context, number))
        let joining = record {
            base.joinWait(ticket.base, context: context.toOpaque(), deadline: deadline)
        } _: { joining in
            guard case .joined = joining else { return nil }
            var event = made(.join, number)
            event.value = deadline
            event.other = ticket.asked
            return event
        }
        // If it did not join, the core never returns this context.
        guard case .joined = joining else {
            context.release()
            return joining
        }
        return joining
    }

    func claimWait(_ ticket: Ticket) -> _PoolCoreClaim {
        let claim = record {
            base.claimWait(ticket.base)
        } _: { claim in
            guard case .claimed = claim else { return nil }
            return made(.claim, base.number(of: ticket.base))
        }
        guard case .claimed(let context) = claim else { return claim }
        return .claimed(Context.of(context).real)
    }

    func handOff() -> UnsafeRawPointer? {
        let context = record {
            base.handOff().map(Context.of)
        } _: { context in
            context.map { made(.handOff, $0.ticket) } ?? made(.findNoWaiter)
        }
        return context?.real
    }

    func expire(now: UInt64, _ resume: (UnsafeRawPointer) -> Void) -> UInt64? {
        let log = recorder.log
        log.pauseSomewhat()
        var gone: [Context] = []
        let begin = historyNow()
        let next = base.expire(now: now) { gone.append(Context.of($0)) }
        let end = historyNow()
        for context in gone {
            var event = HistoryEvent(.expire, begin, end)
            event.ticket = context.ticket
            event.value = now
            log.append(event)
        }
        for context in gone { resume(context.real) }
        return next
    }

    func requeueWait(_ ticket: Ticket) -> Bool { base.requeueWait(ticket.base) }
    var nextDeadline: UInt64? { base.nextDeadline }
    var waiting: Int { base.waiting }
    var queued: Int { base.queued }
    func number(of ticket: Ticket) -> UInt64 { base.number(of: ticket.base) }

    // MARK: Reconciling

    var hasWaiters: Bool {
        record {
            base.hasWaiters
        } _: {
            $0 ? nil : made(.findNoWaiter)
        }
    }

    var hasPermitForWaiter: Bool { base.hasPermitForWaiter }
    var hasExcess: Bool { base.hasExcess }

    // MARK: Administration

    func resize(_ limits: _PoolCoreLimits) -> Bool {
        var given = limits
        if fault == .opensOneMoreThanAllowed { given.hardLimit += 1 }
        return record {
            base.resize(given)
        } _: { isResized in
            guard isResized else { return nil }
            var event = made(.resize)
            event.value = UInt64(limits.maxSize)
            event.other = UInt64(limits.hardLimit)
            return event
        }
    }

    func shutdown() {
        record {
            base.shutdown()
        } _: {
            made(.shutdown)
        }
    }

    func pause() { base.pause() }
    func resume() { base.resume() }
    var isPaused: Bool { base.isPaused }
    var isShutDown: Bool { base.isShutDown }
    var limits: _PoolCoreLimits { base.limits }
    func slot(at index: Int) -> _PoolCoreSlot<Lease>? {
        base.slot(at: index).map { slot in
            _PoolCoreSlot(state: slot.state, lease: Lease(base: slot.lease, ownership: 0), serial: slot.serial)
        }
    }
    var total: Int { base.total }
    var counts: _PoolCoreCounts {
        var counts = base.counts
        if fault == .miscounts { counts.idle += 1 }
        return counts
    }
    func observeLeases(now: UInt64, interval: UInt64) { base.observeLeases(now: now, interval: interval) }
    func oldestLeaseAge(now: UInt64) -> UInt64 { base.oldestLeaseAge(now: now) }
}
