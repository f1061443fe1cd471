// SPDX-License-Identifier: Apache-2.0

import CExplorer

// The calls of bp_pool.h on the Swift core, for the explorer. A bp_pool is the core and what the core does not keep.

struct ExploredPool {
    let core: LockFreeSwiftCore
    let owner: UnsafeMutableRawPointer?
    let memory: UnsafeMutableRawPointer
}

private final class NoOwner {}

@inline(__always)
func exploredPool(_ pool: OpaquePointer) -> UnsafeMutablePointer<ExploredPool> {
    UnsafeMutablePointer(pool)
}

@inline(__always)
private func core(_ pool: OpaquePointer) -> LockFreeSwiftCore { exploredPool(pool).pointee.core }

private func lease(_ lease: bp_lease) -> LockFreeSwiftLease {
    LockFreeSwiftLease(slot: UnsafeMutablePointer(lease.slot!), serial: lease.serial)
}

private func lease(_ lease: LockFreeSwiftLease?) -> bp_lease {
    guard let lease else { return bp_lease(slot: nil, serial: 0) }
    return bp_lease(slot: OpaquePointer(lease.slot), serial: lease.serial)
}

private func ticket(_ ticket: bp_ticket) -> LockFreeSwiftTicket {
    LockFreeSwiftTicket(index: Int(ticket.value & (1 << 26 - 1)), generation: ticket.value >> 26)
}

typealias Leases = UnsafeMutablePointer<bp_lease>
typealias Tickets = UnsafeMutablePointer<bp_ticket>

// MARK: The pool

@_cdecl("bp_pool_create_sized")
func poolCreate(_ settings: UnsafePointer<bp_pool_configuration>, _ pool: UnsafeMutablePointer<OpaquePointer?>)
    -> bp_status
{
    let settings = settings.pointee
    Explored.stripes = Int(settings.stripes)
    let configuration = _PoolCoreConfiguration(
        limits: _PoolCoreLimits(maxSize: Int(settings.max_size), hardLimit: Int(settings.hard_limit)),
        keepsExcess: settings.keep_excess,
        maxWaiters: settings.max_waiters == 0 ? nil : Int(settings.max_waiters),
        elementSize: settings.element_size,
        elementAlignment: settings.element_alignment,
        owner: Unmanaged.passRetained(NoOwner())
    )
    guard let core = try? LockFreeSwiftCore(configuration) else { return BP_OUT_OF_MEMORY }
    let made = UnsafeMutablePointer<ExploredPool>.allocate(capacity: 1)
    made.initialize(to: ExploredPool(core: core, owner: settings.owner, memory: UnsafeMutableRawPointer(core.books)))
    pool.pointee = OpaquePointer(made)
    return BP_OK
}

@_cdecl("bp_pool_destroy")
func poolDestroy(_ pool: OpaquePointer) -> bp_status {
    guard core(pool).total == 0, core(pool).waiting == 0 else { return BP_BUSY }
    core(pool).destroy()
    exploredPool(pool).deallocate()
    return BP_OK
}

@_cdecl("bp_pool_owner")
func poolOwner(_ pool: OpaquePointer) -> UnsafeMutableRawPointer? { exploredPool(pool).pointee.owner }

@_cdecl("bp_pool_memory")
func poolMemory(_ pool: OpaquePointer) -> Int { core(pool).memory }

@_cdecl("bp_resize")
func resize(_ pool: OpaquePointer, _ maxSize: UInt32, _ hardLimit: UInt32) -> bp_status {
    guard maxSize >= 1, maxSize <= hardLimit else { return BP_INVALID_CONFIGURATION }
    return core(pool).resize(_PoolCoreLimits(maxSize: Int(maxSize), hardLimit: Int(hardLimit))) ? BP_OK : BP_SHUT_DOWN
}

@_cdecl("bp_limits")
func limits(
    _ pool: OpaquePointer,
    _ maxSize: UnsafeMutablePointer<UInt32>,
    _ hardLimit: UnsafeMutablePointer<UInt32>
) -> bp_status {
    let limits = core(pool).limits
    maxSize.pointee = UInt32(limits.maxSize)
    hardLimit.pointee = UInt32(limits.hardLimit)
    return limits.hardLimit == 0 ? BP_SHUT_DOWN : BP_OK
}

@_cdecl("bp_pause")
func pause(_ pool: OpaquePointer) -> bp_status {
    core(pool).pause()
    return core(pool).isShutDown ? BP_SHUT_DOWN : BP_OK
}

@_cdecl("bp_resume")
func resume(_ pool: OpaquePointer) -> bp_status {
    core(pool).resume()
    return BP_OK
}

@_cdecl("bp_is_paused")
func isPaused(_ pool: OpaquePointer) -> Bool { core(pool).isPaused }

@_cdecl("bp_shutdown")
func shutdown(_ pool: OpaquePointer) -> bp_status {
    core(pool).shutdown()
    return BP_OK
}

@_cdecl("bp_is_shut_down")
func isShutDown(_ pool: OpaquePointer) -> Bool { core(pool).isShutDown }

@_cdecl("bp_total")
func total(_ pool: OpaquePointer) -> UInt32 { UInt32(core(pool).total) }

@_cdecl("bp_waiting")
func waiting(_ pool: OpaquePointer) -> UInt32 { UInt32(core(pool).waiting) }

@_cdecl("bp_queued")
func queued(_ pool: OpaquePointer) -> UInt32 { UInt32(core(pool).queued) }

extension _PoolCoreSlotState {
    fileprivate var inC: bp_slot_state {
        switch self {
        case .vacant: BP_SLOT_VACANT
        case .opening: BP_SLOT_OPENING
        case .idle: BP_SLOT_IDLE
        case .leased: BP_SLOT_IN_USE
        case .closing: BP_SLOT_CLOSING
        }
    }
}

@_cdecl("bp_slot_at_sized")
func slotAt(_ pool: OpaquePointer, _ index: UInt32, _ view: UnsafeMutablePointer<bp_slot_view>) -> bp_status {
    guard let slot = core(pool).slot(at: Int(index)) else {
        view.pointee = bp_slot_view(size: MemoryLayout<bp_slot_view>.size, state: BP_SLOT_VACANT, lease: lease(nil))
        return BP_EMPTY
    }
    view.pointee = bp_slot_view(size: MemoryLayout<bp_slot_view>.size, state: slot.state.inC, lease: lease(slot.lease))
    return BP_OK
}

@_cdecl("bp_pool_statistics_get_sized")
func statistics(_ pool: OpaquePointer, _ statistics: UnsafeMutablePointer<bp_pool_statistics>) -> bp_status {
    let counts = core(pool).counts
    statistics.pointee = bp_pool_statistics(
        size: MemoryLayout<bp_pool_statistics>.size,
        idle: UInt32(counts.idle),
        in_use: UInt32(counts.leased),
        opening: UInt32(counts.opening),
        closing: UInt32(counts.closing),
        waiting: UInt32(counts.waiting),
        max_size: UInt32(counts.limits.maxSize),
        hard_limit: UInt32(counts.limits.hardLimit),
        is_shut_down: counts.limits.hardLimit == 0
    )
    return BP_OK
}

// MARK: Leases

@_cdecl("bp_try_acquire")
func tryAcquire(_ pool: OpaquePointer) -> bp_lease { lease(core(pool).tryAcquire()) }

/// The core has this for a holder that is alone only. For the explorer, the part of it that counts: return, and look.
@_cdecl("bp_release")
func release(_ pool: OpaquePointer, _ given: bp_lease) -> bp_status {
    Explored.status {
        core(pool).returnIdle(lease(given))
        return core(pool).needsReconciling ? BP_RECONCILE : BP_OK
    }
}

@_cdecl("bp_release_exclusive")
func releaseExclusive(_ pool: OpaquePointer, _ given: bp_lease) -> bp_status {
    Explored.status { core(pool).release(lease(given)) ? BP_RECONCILE : BP_OK }
}

@_cdecl("bp_lease_is_current")
func leaseIsCurrent(_ pool: OpaquePointer, _ given: bp_lease) -> Bool {
    let word = lease(given).slot.pointee.word.load(ordering: .acquiring)
    return Slot.serial(of: word) == given.serial && Slot.state(of: word) != .vacant && Slot.state(of: word) != .idle
}

@_cdecl("bp_element")
func element(_ pool: OpaquePointer, _ given: bp_lease) -> UnsafeMutableRawPointer? {
    leaseIsCurrent(pool, given) ? core(pool).element(of: lease(given)) : nil
}

@_cdecl("bp_element_offset")
func elementOffset(_ pool: OpaquePointer) -> Int { core(pool).books.pointee.elementOffset }

// MARK: Opening and closing

/// The core does not say why there is no permit.
@_cdecl("bp_begin_open")
func beginOpen(_ pool: OpaquePointer, _ ticket: Tickets, _ permit: Leases) -> bp_status {
    permit.pointee = lease(nil)
    switch core(pool).beginOpen() {
    case .opening(let waiter, let taken):
        ticket.pointee = bp_ticket(value: waiter.bits)
        permit.pointee = lease(taken)
        return BP_OK
    case .nothing: return BP_EMPTY
    case .outOfMemory: return BP_OUT_OF_MEMORY
    }
}

@_cdecl("bp_begin_open_unrequested")
func beginOpenUnrequested(_ pool: OpaquePointer, _ permit: Leases) -> bp_status {
    let taken = core(pool).beginOpenUnrequested()
    permit.pointee = lease(taken)
    return taken == nil ? BP_EMPTY : BP_OK
}

@_cdecl("bp_finish_open")
func finishOpen(_ pool: OpaquePointer, _ permit: bp_lease) -> bp_status {
    Explored.status {
        core(pool).finishOpen(lease(permit))
        return BP_OK
    }
}

@_cdecl("bp_cancel_open")
func cancelOpen(_ pool: OpaquePointer, _ permit: bp_lease) -> bp_status {
    Explored.status {
        core(pool).cancelOpen(lease(permit))
        return BP_OK
    }
}

@_cdecl("bp_begin_close")
func beginClose(_ pool: OpaquePointer, _ given: bp_lease) -> bp_status {
    Explored.status {
        core(pool).beginClose(lease(given))
        return BP_OK
    }
}

@_cdecl("bp_begin_close_excess")
func beginCloseExcess(_ pool: OpaquePointer, _ given: bp_lease) -> bp_status {
    Explored.status { core(pool).beginCloseExcess(lease(given)) ? BP_OK : BP_EMPTY }
}

@_cdecl("bp_begin_close_above_hard_limit")
func beginCloseAboveHardLimit(_ pool: OpaquePointer, _ given: bp_lease) -> bp_status {
    Explored.status { core(pool).beginCloseAboveHardLimit(lease(given)) ? BP_OK : BP_EMPTY }
}

@_cdecl("bp_finish_close")
func finishClose(_ pool: OpaquePointer, _ given: bp_lease) -> bp_status {
    Explored.status {
        core(pool).finishClose(lease(given))
        return BP_OK
    }
}

@_cdecl("bp_detach")
func detach(_ pool: OpaquePointer, _ given: bp_lease) -> bp_status {
    Explored.status {
        core(pool).detach(lease(given))
        return BP_OK
    }
}

// MARK: Waiting

@_cdecl("bp_wait_prepare")
func waitPrepare(_ pool: OpaquePointer, _ ticket: Tickets) -> bp_status {
    do throws(_PoolCoreFailure) {
        ticket.pointee = bp_ticket(value: try core(pool).prepareWait().bits)
        return BP_OK
    } catch {
        switch error {
        case .outOfMemory: return BP_OUT_OF_MEMORY
        case .tooManyWaiters: return BP_TOO_MANY_WAITERS
        case .shutDown: return BP_SHUT_DOWN
        }
    }
}

@_cdecl("bp_wait_join")
func waitJoin(
    _ pool: OpaquePointer,
    _ given: bp_ticket,
    _ context: UnsafeMutableRawPointer,
    _ deadline: UInt64,
    _ arms: UnsafeMutablePointer<Bool>?
) -> bp_status {
    arms?.pointee = false
    switch core(pool).joinWait(ticket(given), context: context, deadline: deadline) {
    case .joined(let isEarliest):
        arms?.pointee = isEarliest
        return BP_OK
    case .cancelled: return BP_CANCELLED
    case .shutDown: return BP_SHUT_DOWN
    case .tooManyWaiters: return BP_TOO_MANY_WAITERS
    }
}

typealias Contexts = UnsafeMutablePointer<UnsafeMutableRawPointer?>

@_cdecl("bp_wait_claim")
func waitClaim(_ pool: OpaquePointer, _ given: bp_ticket, _ context: Contexts) -> bp_status {
    context.pointee = nil
    switch core(pool).claimWait(ticket(given)) {
    case .claimed(let found): context.pointee = UnsafeMutableRawPointer(mutating: found)
    case .claimedBeforeJoining: break
    case .tooLate: return BP_STALE_TICKET
    }
    return BP_OK
}

@_cdecl("bp_wait_requeue")
func waitRequeue(_ pool: OpaquePointer, _ given: bp_ticket) -> bp_status {
    core(pool).requeueWait(ticket(given)) ? BP_OK : BP_STALE_TICKET
}

@_cdecl("bp_expire")
func expire(
    _ pool: OpaquePointer,
    _ now: UInt64,
    _ contexts: Contexts,
    _ capacity: Int,
    _ next: UnsafeMutablePointer<UInt64>
) -> Int {
    Explored.expiryCapacity = capacity
    var count = 0
    next.pointee =
        core(pool).expire(now: now) { context in
            contexts[count] = UnsafeMutableRawPointer(mutating: context)
            count += 1
        } ?? .max
    return count
}

@_cdecl("bp_next_deadline")
func nextDeadline(_ pool: OpaquePointer) -> UInt64 { core(pool).nextDeadline ?? .max }

@_cdecl("bp_hand_off")
func handOff(_ pool: OpaquePointer, _ context: Contexts) -> bp_status {
    context.pointee = UnsafeMutableRawPointer(mutating: core(pool).handOff())
    return context.pointee == nil ? BP_EMPTY : BP_OK
}

// MARK: Reconciling

@_cdecl("bp_needs_reconcile")
func needsReconcile(_ pool: OpaquePointer) -> Bool { core(pool).needsReconciling }

@_cdecl("bp_has_waiters")
func hasWaiters(_ pool: OpaquePointer) -> Bool { core(pool).hasWaiters }

@_cdecl("bp_has_permit_for_waiter")
func hasPermitForWaiter(_ pool: OpaquePointer) -> Bool { core(pool).hasPermitForWaiter }

@_cdecl("bp_has_excess")
func hasExcess(_ pool: OpaquePointer) -> Bool { core(pool).hasExcess }

@_cdecl("bp_take_idle")
func takeIdle(_ pool: OpaquePointer, _ taken: Leases) -> bp_status {
    taken.pointee = lease(core(pool).takeIdle())
    return taken.pointee.slot == nil ? BP_EMPTY : BP_OK
}

@_cdecl("bp_return_idle")
func returnIdle(_ pool: OpaquePointer, _ given: bp_lease) -> bp_status {
    Explored.status {
        core(pool).returnIdle(lease(given))
        return BP_OK
    }
}

// MARK: Sweeping

@_cdecl("bp_sweep_next")
func sweepNext(_ pool: OpaquePointer, _ taken: Leases) -> bp_status {
    taken.pointee = lease(core(pool).sweepNext())
    return taken.pointee.slot == nil ? BP_EMPTY : BP_OK
}

@_cdecl("bp_sweep_keep")
func sweepKeep(_ pool: OpaquePointer, _ given: bp_lease) -> bp_status {
    Explored.status { core(pool).sweepKeep(lease(given)) ? BP_RECONCILE : BP_OK }
}

@_cdecl("bp_sweep_end")
func sweepEnd(_ pool: OpaquePointer) -> bp_status {
    core(pool).sweepEnd().map { $0 ? BP_RECONCILE : BP_OK } ?? BP_EMPTY
}

// MARK: Ages of leases

@_cdecl("bp_observe_leases")
func observeLeases(_ pool: OpaquePointer, _ now: UInt64, _ interval: UInt64) {
    core(pool).observeLeases(now: now, interval: interval)
}

@_cdecl("bp_oldest_lease_age")
func oldestLeaseAge(_ pool: OpaquePointer, _ now: UInt64) -> UInt64 { core(pool).oldestLeaseAge(now: now) }
