// SPDX-License-Identifier: Apache-2.0

import CBurstPool
import Testing

@Suite("Sweeping, slots and pauses", .timeLimit(.minutes(5)))
struct MaintenanceTests {
    @Test("a sweep sees every idle connection once, holds one at a time, and leaves the most recently used on top")
    func sweep() {
        let core = CorePool(maxSize: 8, stripes: 1)
        let leases = (0..<8).map { _ in core.open() }
        for lease in leases { #expect(bp_release(core.pool, lease) == .ok) }
        var seen: [bp_lease] = []
        var lease = bp_lease()
        while bp_sweep_next(core.pool, &lease) == .ok {
            #expect(core.statistics.in_use == 1 && core.statistics.idle == 7)
            seen.append(lease)
            #expect(bp_sweep_keep(core.pool, lease) == .ok)
        }
        #expect(lease.slot == nil && bp_sweep_next(core.pool, &lease) == .empty)
        #expect(Set(seen.map(\.slot)) == Set(leases.map(\.slot)) && seen.count == 8)
        #expect(seen.map(\.slot) == leases.reversed().map(\.slot), "from the most to the least recently used")
        #expect(core.statistics.idle == 8)
        for _ in leases {
            #expect(bp_sweep_end(core.pool) == .ok)
            #expect(core.statistics.idle == 8)
        }
        #expect(bp_sweep_end(core.pool) == .empty)
        #expect(core.statistics.idle == 8)
        for expected in leases.reversed() {
            lease = bp_try_acquire(core.pool)
            #expect(lease.slot == expected.slot)
        }
    }

    @Test("a caller that uses one connection keeps the recently used ones, however often the pool is swept")
    func sweepKeepsTheOrder() {
        let core = CorePool(maxSize: 8, stripes: 1)
        let leases = (0..<8).map { _ in core.open() }
        for lease in leases { #expect(bp_release(core.pool, lease) == .ok) }
        var used: Set<OpaquePointer?> = []
        func use() {
            let lease = bp_try_acquire(core.pool)
            used.insert(lease.slot)
            #expect(bp_release(core.pool, lease) == .ok)
        }
        for _ in 1...20 {
            var lease = bp_lease()
            var seen: Set<OpaquePointer?> = []
            while bp_sweep_next(core.pool, &lease) == .ok {
                seen.insert(lease.slot)
                #expect(seen.count <= 8)
                use()
                #expect(bp_sweep_keep(core.pool, lease) == .ok)
                use()
            }
            #expect(seen.count >= 7, "all but the one that was in use each time")
            while bp_sweep_end(core.pool) == .ok { use() }
        }
        #expect(used.isSubset(of: Set(leases.suffix(4).map(\.slot))), "seldom used connections stay unused")
    }

    @Test("a connection that a sweep has kept is idle for every caller, and each acquire is a new lease")
    func sweptIsIdle() {
        let core = CorePool(maxSize: 2)
        let lease = core.open()
        #expect(bp_sweep_keep(core.pool, lease) == .ok)
        #expect(bp_sweep_keep(core.pool, lease) == .staleLease)
        var taken = bp_lease()
        #expect(bp_sweep_next(core.pool, &taken) == .empty)
        taken = bp_try_acquire(core.pool)
        #expect(taken.slot == lease.slot && taken.serial > lease.serial)
        #expect(bp_sweep_keep(core.pool, taken) == .ok)
        #expect(bp_take_idle(core.pool, &taken) == .ok && taken.slot == lease.slot)
        #expect(bp_sweep_keep(core.pool, taken) == .ok)
        #expect(bp_sweep_end(core.pool) == .ok)
        #expect(bp_sweep_end(core.pool) == .empty)
        #expect(bp_try_acquire(core.pool).slot == lease.slot)
    }

    @Test("a sweep that keeps a connection beside a waiter, or beside an excess connection, reconciles")
    func sweepReconciles() {
        let core = CorePool(maxSize: 2, hardLimit: 2)
        let (first, second) = (core.open(), core.open())
        #expect(bp_release(core.pool, first) == .ok)
        var lease = bp_lease()
        #expect(bp_sweep_next(core.pool, &lease) == .ok)
        _ = core.join(1)
        #expect(bp_sweep_keep(core.pool, lease) == .reconcile)
        #expect(core.handOff() == 1)
        #expect(bp_resize(core.pool, 1, 1) == .ok)
        #expect(bp_sweep_keep(core.pool, second) == .reconcile)
        #expect(bp_sweep_end(core.pool) == .reconcile)
        while bp_take_idle(core.pool, &lease) == .ok {
            #expect(bp_begin_close(core.pool, lease) == .ok && bp_finish_close(core.pool, lease) == .ok)
        }
    }

    @Test("a sweep rejects values that are not leases of the pool")
    func sweepMisuse() {
        let core = CorePool(maxSize: 1)
        let other = CorePool(maxSize: 1)
        var lease = bp_lease()
        #expect(bp_sweep_next(nil, &lease) == .invalidArgument)
        #expect(bp_sweep_next(core.pool, nil) == .invalidArgument)
        #expect(bp_sweep_end(nil) == .invalidArgument)
        #expect(bp_sweep_keep(nil, lease) == .invalidArgument)
        #expect(bp_sweep_keep(core.pool, lease) == .invalidArgument)
        lease = core.open()
        #expect(bp_sweep_keep(other.pool, lease) == .foreignSlot)
        #expect(bp_release(core.pool, lease) == .ok)
        #expect(bp_sweep_keep(core.pool, lease) == .staleLease)
    }

    @Test("a waiter whose connection did not open waits again, before later waiters")
    func requeue() {
        let core = CorePool(maxSize: 2)
        let first = core.join(1)
        _ = core.join(2)
        var ticket = bp_ticket()
        var permit = bp_lease()
        #expect(bp_wait_requeue(core.pool, first) == .staleTicket, "it waits for a permit already")
        #expect(bp_begin_open(core.pool, &ticket, &permit) == .ok && ticket.value == first.value)
        #expect(bp_cancel_open(core.pool, permit) == .ok)
        #expect(bp_wait_requeue(core.pool, ticket) == .ok)
        #expect(bp_wait_requeue(core.pool, ticket) == .staleTicket)
        #expect(bp_has_permit_for_waiter(core.pool))
        #expect(bp_begin_open(core.pool, &ticket, &permit) == .ok && ticket.value == first.value)
        #expect(bp_waiting(core.pool) == 2)
        #expect(core.handOff() == 1)
        #expect(bp_wait_requeue(core.pool, ticket) == .staleTicket, "it has left")
        #expect(bp_cancel_open(core.pool, permit) == .ok)
        #expect(core.handOff() == 2)
        #expect(bp_waiting(core.pool) == 0 && !bp_has_permit_for_waiter(core.pool))
        #expect(bp_wait_requeue(nil, ticket) == .invalidArgument)
        #expect(bp_wait_requeue(core.pool, bp_ticket(value: 0)) == .staleTicket)
        #expect(bp_wait_requeue(core.pool, bp_ticket(value: UInt64.max)) == .staleTicket)
    }

    @Test("a requeued waiter can still be cancelled, expire, or be failed by a shutdown")
    func requeuedLeaves() {
        let core = CorePool(maxSize: 3)
        for number in 1...3 { _ = core.join(number, deadline: number == 2 ? UInt64(1) << 40 : UInt64.max) }
        var opened: [bp_ticket] = []
        for _ in 1...3 {
            var ticket = bp_ticket()
            var permit = bp_lease()
            #expect(bp_begin_open(core.pool, &ticket, &permit) == .ok)
            #expect(bp_cancel_open(core.pool, permit) == .ok)
            opened.append(ticket)
        }
        for ticket in opened { #expect(bp_wait_requeue(core.pool, ticket) == .ok) }
        var context: UnsafeMutableRawPointer?
        #expect(bp_wait_claim(core.pool, opened[0], &context) == .ok && Int(bitPattern: context) == 1)
        #expect(core.expire(UInt64(1) << 40).gone == [2])
        #expect(bp_shutdown(core.pool) == .ok)
        #expect(core.handOff() == 3)
        #expect(bp_waiting(core.pool) == 0 && !bp_has_permit_for_waiter(core.pool))
    }

    @Test("max_waiters is enforced, and waiters that can be given a permit do not count")
    func maxWaiters() {
        let core = CorePool(maxSize: 2, maxWaiters: 2)
        let lease = core.open()
        // One slot is free, so three may wait.
        for number in 1...3 { _ = core.join(number) }
        var ticket = bp_ticket()
        var context: UnsafeMutableRawPointer?
        #expect(bp_wait_prepare(core.pool, &ticket) == .ok)
        #expect(bp_wait_join(core.pool, ticket, nil, UInt64.max, nil) == .tooManyWaiters)
        #expect(bp_waiting(core.pool) == 3)
        #expect(bp_wait_claim(core.pool, ticket, &context) == .staleTicket)
        #expect(bp_wait_join(core.pool, ticket, nil, UInt64.max, nil) == .staleTicket)
        // The slot is reserved, and the waiter with the permit no longer counts, so the number is the same as before.
        var permit = bp_lease()
        var opened = bp_ticket()
        #expect(bp_begin_open(core.pool, &opened, &permit) == .ok)
        #expect(bp_wait_prepare(core.pool, &ticket) == .ok)
        #expect(bp_wait_join(core.pool, ticket, nil, UInt64.max, nil) == .tooManyWaiters)
        // Cancelled before it could be rejected.
        #expect(bp_wait_prepare(core.pool, &ticket) == .ok)
        #expect(bp_wait_claim(core.pool, ticket, &context) == .ok && context == nil)
        #expect(bp_wait_join(core.pool, ticket, nil, UInt64.max, nil) == .cancelled)
        #expect(core.handOff() == 1 && core.handOff() == 2)
        _ = core.join(4)
        // A lower limit would reject a waiter that a limit of two accepts, but the shutdown is what it is told.
        #expect(bp_wait_prepare(core.pool, &ticket) == .ok)
        #expect(bp_cancel_open(core.pool, permit) == .ok)
        #expect(bp_shutdown(core.pool) == .ok)
        #expect(bp_wait_join(core.pool, ticket, nil, UInt64.max, nil) == .shutDown)
        #expect(core.handOff() == 3 && core.handOff() == 4 && core.handOff() == nil)
        #expect(bp_release(core.pool, lease) == .reconcile)
    }

    @Test("a freed slot, or a higher limit, lets one more caller wait; and memory does not grow with rejected callers")
    func maxWaitersChanges() {
        let core = CorePool(maxSize: 1, maxWaiters: 1)
        let lease = core.open()
        _ = core.join(1)
        let memory = bp_pool_memory(core.pool)
        for _ in 1...1000 {
            var ticket = bp_ticket()
            #expect(bp_wait_prepare(core.pool, &ticket) == .ok)
            #expect(bp_wait_join(core.pool, ticket, nil, UInt64.max, nil) == .tooManyWaiters)
        }
        #expect(bp_pool_memory(core.pool) == memory)
        #expect(bp_resize(core.pool, 1, 2) == .ok)
        _ = core.join(2)
        #expect(bp_detach(core.pool, lease) == .ok)
        _ = core.join(3)
        #expect(bp_waiting(core.pool) == 3)
        for number in 1...3 { #expect(core.handOff() == number) }
    }

    @Test("max_waiters above the largest number of waiters is rejected")
    func maxWaitersOutOfRange() {
        var configuration = bp_pool_configuration()
        configuration.max_size = 1
        configuration.hard_limit = 1
        configuration.max_waiters = BP_MAX_WAITERS + 1
        var pool: OpaquePointer?
        #expect(bp_pool_create(&configuration, &pool) == .invalidConfiguration && pool == nil)
        configuration.max_waiters = BP_MAX_WAITERS
        #expect(bp_pool_create(&configuration, &pool) == .ok)
        #expect(bp_pool_destroy(pool) == .ok)
    }

    @Test("a paused pool serves no caller, and everything else continues")
    func pause() {
        let core = CorePool(maxSize: 2, hardLimit: 3)
        let (out, idle) = (core.open(), core.open())
        #expect(bp_release(core.pool, idle) == .ok)
        #expect(!bp_is_paused(core.pool))
        #expect(bp_pause(core.pool) == .ok && bp_pause(core.pool) == .ok)
        #expect(bp_is_paused(core.pool))
        #expect(bp_try_acquire(core.pool).slot == nil)
        let tickets = (1...3).map { core.join($0, deadline: $0 == 2 ? UInt64(1) << 40 : UInt64.max) }
        #expect(core.statistics.waiting == 3 && bp_waiting(core.pool) == 3)
        #expect(!bp_has_waiters(core.pool) && !bp_has_permit_for_waiter(core.pool))
        var ticket = bp_ticket()
        var lease = bp_lease()
        #expect(bp_begin_open(core.pool, &ticket, &lease) == .empty)
        #expect(bp_begin_open_unrequested(core.pool, &lease) == .empty)
        #expect(bp_acquire(core.pool, 0, &lease) == .timedOut)
        // Reconciling can only close an excess connection.
        #expect(bp_reconcile(core.pool, { _, _ in }, nil) == .ok)
        #expect(core.statistics.idle == 1 && core.statistics.waiting == 3)
        var context: UnsafeMutableRawPointer?
        #expect(bp_wait_claim(core.pool, tickets[0], &context) == .ok && Int(bitPattern: context) == 1)
        #expect(core.expire(UInt64(1) << 40).gone == [2])
        #expect(bp_release(core.pool, out) == .reconcile)
        #expect(bp_take_idle(core.pool, &lease) == .ok && bp_return_idle(core.pool, lease) == .ok)
        #expect(bp_resume(core.pool) == .ok && bp_resume(core.pool) == .ok)
        #expect(!bp_is_paused(core.pool) && bp_has_waiters(core.pool) && bp_has_permit_for_waiter(core.pool))
        #expect(core.handOff() == 3)
        lease = bp_try_acquire(core.pool)
        #expect(lease.slot != nil && bp_release(core.pool, lease) == .ok)
        #expect(bp_pause(nil) == .invalidArgument && bp_resume(nil) == .invalidArgument && !bp_is_paused(nil))
    }

    @Test("a shutdown ends a pause, and the pool cannot be paused again")
    func pauseAndShutdown() {
        let core = CorePool(maxSize: 1)
        let lease = core.open()
        #expect(bp_pause(core.pool) == .ok)
        _ = core.join(1)
        #expect(bp_shutdown(core.pool) == .ok)
        #expect(!bp_is_paused(core.pool) && bp_is_shut_down(core.pool))
        #expect(bp_pause(core.pool) == .shutDown && bp_resume(core.pool) == .ok)
        #expect(!bp_is_paused(core.pool) && bp_is_shut_down(core.pool))
        #expect(core.handOff() == 1)
        #expect(bp_try_acquire(core.pool).slot == nil)
        #expect(bp_release(core.pool, lease) == .reconcile)
    }

    @Test("each slot can be looked at by its index, in every state")
    func slots() {
        let core = CorePool(maxSize: 4)
        var view = bp_slot_view()
        #expect(bp_slot_at(core.pool, 0, &view) == .empty && view.lease.slot == nil)
        var permit = bp_lease()
        #expect(bp_begin_open_unrequested(core.pool, &permit) == .ok)
        func look(_ state: bp_slot_state, _ lease: bp_lease) {
            #expect(bp_slot_at(core.pool, 0, &view) == .ok)
            #expect(view.state == state && view.lease.slot == lease.slot && view.lease.serial == lease.serial)
        }
        look(.opening, permit)
        #expect(bp_finish_open(core.pool, permit) == .ok)
        look(.inUse, permit)
        #expect(bp_release(core.pool, permit) == .ok)
        look(.idle, permit)
        let lease = bp_try_acquire(core.pool)
        #expect(lease.serial > permit.serial)
        look(.inUse, lease)
        #expect(bp_begin_close(core.pool, lease) == .ok)
        look(.closing, lease)
        #expect(
            bp_finish_close(core.pool, view.lease) == .ok,
            "any thread can free the slot, not only the one that began to close"
        )
        #expect(bp_finish_close(core.pool, lease) == .staleLease)
        #expect(bp_total(core.pool) == 0)
        look(.vacant, lease)
        #expect(bp_slot_at(core.pool, 1, &view) == .empty)
        #expect(bp_slot_at(core.pool, UInt32.max, &view) == .empty)
        #expect(bp_slot_at(nil, 0, &view) == .invalidArgument)
        #expect(bp_slot_at(core.pool, 0, nil) == .invalidArgument)
        #expect(bp_waiting(nil) == 0)
    }
}
