// SPDX-License-Identifier: Apache-2.0

public import CBurstPool

/// The core that ships: `CBurstPool`, in C11 on Concurrency Kit.
///
/// Each method is one call of C. The status for misuse cannot occur here, because only the engine has leases, and it ends
/// each of them once.
@frozen
public struct _ConcurrencyKitCore: _PoolCore, @unchecked Sendable {
    // Sendable: every call of bp_pool.h but create and destroy may be made from any thread.
    @usableFromInline let pool: OpaquePointer
    @usableFromInline let elementOffset: Int

    public init(_ configuration: _PoolCoreConfiguration) throws(_PoolCoreFailure) {
        var settings = bp_pool_configuration()
        settings.max_size = UInt32(configuration.limits.maxSize)
        settings.hard_limit = UInt32(configuration.limits.hardLimit)
        settings.keep_excess = configuration.keepsExcess
        // More than the core can number is no limit.
        settings.max_waiters = UInt32(min(configuration.maxWaiters ?? 0, Int(BP_MAX_WAITERS)))
        settings.element_size = configuration.elementSize
        settings.element_alignment = configuration.elementAlignment
        settings.stripes = UInt32(clamping: configuration.stripes ?? 0)
        settings.first_slots = UInt32(clamping: configuration.firstSlots ?? 0)
        settings.owner = configuration.owner.toOpaque()
        settings.release_owner = { owner in
            guard let owner else { return }
            Unmanaged<AnyObject>.fromOpaque(owner).release()
        }
        var pool: OpaquePointer?
        guard bp_pool_create(&settings, &pool) == .ok, let pool else { throw .outOfMemory }
        self.pool = pool
        elementOffset = bp_element_offset(pool)
    }

    public func destroy() {
        let status = bp_pool_destroy(pool)
        assert(status == .ok, "connections or waiters are left")
    }

    /// Bytes that the core has of the system, those not yet touched included.
    public var memory: Int { bp_pool_memory(pool) }

    // MARK: The fast path

    @inlinable @inline(__always)
    public func tryAcquire() -> bp_lease? {
        let lease = bp_try_acquire(pool)
        return lease.slot == nil ? nil : lease
    }

    @inlinable @inline(__always)
    public func release(_ lease: bp_lease) -> Bool {
        // Exclusive: a lease has one holder, which ends it once.
        bp_release_exclusive(pool, lease) != .ok
    }

    @inlinable @inline(__always)
    public func releaseUnlessAwaited(_ lease: bp_lease) -> _PoolCoreRelease {
        switch bp_release_unless_awaited(pool, lease) {
        case .ok: .released
        case .awaited: .awaited
        default: .reconcile
        }
    }

    @inlinable @inline(__always)
    public func element(of lease: bp_lease) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(lease.slot.unsafelyUnwrapped) + elementOffset
    }

    public func serial(of lease: bp_lease) -> UInt64 { lease.serial }

    // MARK: Opening and closing

    public func beginOpen() -> _PoolCoreOpening<bp_ticket, bp_lease> {
        var ticket = bp_ticket()
        var permit = bp_lease()
        switch bp_begin_open(pool, &ticket, &permit) {
        case .ok: return .opening(ticket, permit: permit)
        case .outOfMemory: return .outOfMemory
        default: return .nothing
        }
    }

    public func beginOpenUnrequested() -> bp_lease? {
        var permit = bp_lease()
        return bp_begin_open_unrequested(pool, &permit) == .ok ? permit : nil
    }

    public func finishOpen(_ permit: bp_lease) {
        expectSuccess(bp_finish_open(pool, permit))
    }

    public func cancelOpen(_ permit: bp_lease) {
        expectSuccess(bp_cancel_open(pool, permit))
    }

    public func beginClose(_ lease: bp_lease) {
        expectSuccess(bp_begin_close(pool, lease))
    }

    public func beginCloseExcess(_ lease: bp_lease) -> Bool {
        bp_begin_close_excess(pool, lease) == .ok
    }

    public func beginCloseAboveHardLimit(_ lease: bp_lease) -> Bool {
        bp_begin_close_above_hard_limit(pool, lease) == .ok
    }

    public func finishClose(_ lease: bp_lease) {
        expectSuccess(bp_finish_close(pool, lease))
    }

    public func detach(_ lease: bp_lease) {
        expectSuccess(bp_detach(pool, lease))
    }

    // MARK: Waiting

    public func prepareWait() throws(_PoolCoreFailure) -> bp_ticket {
        var ticket = bp_ticket()
        switch bp_wait_prepare(pool, &ticket) {
        case .ok: return ticket
        case .shutDown: throw .shutDown
        case .tooManyWaiters: throw .tooManyWaiters
        default: throw .outOfMemory
        }
    }

    public func joinWait(_ ticket: bp_ticket, context: UnsafeRawPointer, deadline: UInt64) -> _PoolCoreJoining {
        var isEarliest = false
        switch bp_wait_join(pool, ticket, UnsafeMutableRawPointer(mutating: context), deadline, &isEarliest) {
        case .ok: return .joined(isEarliest: isEarliest)
        case .shutDown: return .shutDown
        case .tooManyWaiters: return .tooManyWaiters
        default: return .cancelled
        }
    }

    public func claimWait(_ ticket: bp_ticket) -> _PoolCoreClaim {
        var context: UnsafeMutableRawPointer?
        guard bp_wait_claim(pool, ticket, &context) == .ok else { return .tooLate }
        return context.map { .claimed(UnsafeRawPointer($0)) } ?? .claimedBeforeJoining
    }

    public func requeueWait(_ ticket: bp_ticket) -> Bool {
        bp_wait_requeue(pool, ticket) == .ok
    }

    public func handOff() -> UnsafeRawPointer? {
        var context: UnsafeMutableRawPointer?
        return bp_hand_off(pool, &context) == .ok ? UnsafeRawPointer(context) : nil
    }

    public func releaseToWaiter(_ lease: bp_lease) -> (waiter: UnsafeRawPointer, lease: bp_lease)? {
        var next = bp_lease()
        var context: UnsafeMutableRawPointer?
        guard bp_release_to_waiter(pool, lease, &next, &context) == .ok, let context else { return nil }
        return (UnsafeRawPointer(context), next)
    }

    public func expire(now: UInt64, _ resume: (UnsafeRawPointer) -> Void) -> UInt64? {
        withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 256) { contexts in
            var next: UInt64 = 0
            let count = bp_expire(pool, now, contexts.baseAddress, contexts.count, &next)
            for context in contexts.prefix(count) {
                if let context { resume(UnsafeRawPointer(context)) }
            }
            return next == UInt64.max ? nil : next
        }
    }

    public var nextDeadline: UInt64? {
        let deadline = bp_next_deadline(pool)
        return deadline == UInt64.max ? nil : deadline
    }

    public var waiting: Int { Int(bp_waiting(pool)) }

    public var queued: Int { Int(bp_queued(pool)) }

    public func number(of ticket: bp_ticket) -> UInt64 { ticket.value }

    // MARK: Reconciling

    public var hasWaiters: Bool { bp_has_waiters(pool) }

    public var hasPermitForWaiter: Bool { bp_has_permit_for_waiter(pool) }

    public var hasExcess: Bool { bp_has_excess(pool) }

    public func takeIdle() -> bp_lease? {
        var lease = bp_lease()
        return bp_take_idle(pool, &lease) == .ok ? lease : nil
    }

    public func returnIdle(_ lease: bp_lease) {
        expectSuccess(bp_return_idle(pool, lease))
    }

    // MARK: Sweeping

    public func sweepNext() -> bp_lease? {
        var lease = bp_lease()
        return bp_sweep_next(pool, &lease) == .ok ? lease : nil
    }

    public func sweepKeep(_ lease: bp_lease) -> Bool {
        let status = bp_sweep_keep(pool, lease)
        if status != .reconcile { expectSuccess(status) }
        return status == .reconcile
    }

    public func sweepEnd() -> Bool? {
        let status = bp_sweep_end(pool)
        return status == .empty ? nil : status == .reconcile
    }

    // MARK: Administration

    public func pause() {
        // After a shutdown it has no effect, and says so.
        _ = bp_pause(pool)
    }

    public func resume() {
        expectSuccess(bp_resume(pool))
    }

    public var isPaused: Bool { bp_is_paused(pool) }

    public func resize(_ limits: _PoolCoreLimits) -> Bool {
        bp_resize(pool, UInt32(limits.maxSize), UInt32(limits.hardLimit)) == .ok
    }

    public var limits: _PoolCoreLimits {
        var maxSize: UInt32 = 0
        var hardLimit: UInt32 = 0
        // After a shutdown both are 0, and the status says so.
        _ = bp_limits(pool, &maxSize, &hardLimit)
        return _PoolCoreLimits(maxSize: Int(maxSize), hardLimit: Int(hardLimit))
    }

    /// Makes every call that makes a connection idle ask for reconciling, although no caller waits.
    func alwaysReconcile(_ always: Bool) {
        expectSuccess(bp_always_reconcile(pool, always))
    }

    public func shutdown() {
        expectSuccess(bp_shutdown(pool))
    }

    public var isShutDown: Bool { bp_is_shut_down(pool) }

    public var total: Int { Int(bp_total(pool)) }

    public var counts: _PoolCoreCounts {
        var statistics = bp_pool_statistics()
        expectSuccess(bp_pool_statistics_get(pool, &statistics))
        return _PoolCoreCounts(
            idle: Int(statistics.idle),
            leased: Int(statistics.in_use),
            opening: Int(statistics.opening),
            closing: Int(statistics.closing),
            waiting: Int(statistics.waiting),
            limits: _PoolCoreLimits(maxSize: Int(statistics.max_size), hardLimit: Int(statistics.hard_limit))
        )
    }

    public func slot(at index: Int) -> _PoolCoreSlot<bp_lease>? {
        var view = bp_slot_view()
        guard let index = UInt32(exactly: index), bp_slot_at(pool, index, &view) == .ok else { return nil }
        return _PoolCoreSlot(state: _PoolCoreSlotState(view.state), lease: view.lease, serial: view.lease.serial)
    }

    public func observeLeases(now: UInt64, interval: UInt64) {
        bp_observe_leases(pool, now, interval)
    }

    public func oldestLeaseAge(now: UInt64) -> UInt64 {
        bp_oldest_lease_age(pool, now)
    }

    private func expectSuccess(_ status: bp_status) {
        assert(status == .ok, "the engine misused the core: \(String(cString: bp_status_message(status)))")
    }
}

extension _PoolCoreSlotState {
    fileprivate init(_ state: bp_slot_state) {
        switch state {
        case .opening: self = .opening
        case .idle: self = .idle
        case .inUse: self = .leased
        case .closing: self = .closing
        default: self = .vacant
        }
    }
}
