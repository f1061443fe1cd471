// SPDX-License-Identifier: Apache-2.0

import CBurstPool
import Testing

@Suite("Leases, slots and limits", .timeLimit(.minutes(5)))
struct LeaseTests {
    @Test("with one stripe, the connection that was released last is leased first")
    func lastInFirstOut() {
        let core = CorePool(maxSize: 8, stripes: 1)
        let leases = (0..<8).map { _ in core.open() }
        for lease in leases { #expect(bp_release(core.pool, lease) == .ok) }
        for expected in leases.reversed() { #expect(bp_try_acquire(core.pool).slot == expected.slot) }
        #expect(bp_try_acquire(core.pool).slot == nil)
        #expect(core.statistics.in_use == 8)
    }

    @Test("an element keeps its address and its content, with the requested alignment", arguments: [1, 8, 16, 32, 64])
    func elements(alignment: Int) {
        var configuration = bp_pool_configuration()
        configuration.max_size = 100
        configuration.hard_limit = 100
        configuration.element_size = 24
        configuration.element_alignment = alignment
        var pool: OpaquePointer?
        #expect(bp_pool_create(&configuration, &pool) == .ok)
        var leases: [bp_lease] = []
        for number in 0..<100 {
            var lease = bp_lease()
            #expect(bp_begin_open_unrequested(pool, &lease) == .ok && bp_finish_open(pool, lease) == .ok)
            let element = bp_element(pool, lease)!
            #expect(Int(bitPattern: element) % alignment == 0)
            #expect(element == UnsafeMutableRawPointer(lease.slot) + bp_element_offset(pool))
            element.storeBytes(of: number, as: Int.self)
            leases.append(lease)
        }
        for (number, lease) in leases.enumerated() {
            #expect(bp_element(pool, lease)!.load(as: Int.self) == number)
            #expect(bp_begin_close(pool, lease) == .ok && bp_finish_close(pool, lease) == .ok)
        }
        #expect(bp_pool_destroy(pool) == .ok)
    }

    @Test("an awaited connection goes to the oldest waiter, under a new serial number")
    func passOn() {
        let core = CorePool(maxSize: 1)
        let lease = core.open()
        _ = core.join(1)
        _ = core.join(2)
        #expect(bp_release_unless_awaited(core.pool, lease) == .awaited)
        #expect(bp_lease_is_current(core.pool, lease))
        var next = bp_lease()
        var context: UnsafeMutableRawPointer?
        #expect(bp_release_to_waiter(core.pool, lease, &next, &context) == .ok)
        #expect(Int(bitPattern: context) == 1)
        #expect(next.slot == lease.slot && next.serial > lease.serial)
        #expect(!bp_lease_is_current(core.pool, lease))
        #expect(bp_release_to_waiter(core.pool, lease, &next, &context) == .staleLease)
        #expect(bp_release_unless_awaited(core.pool, lease) == .staleLease)
        #expect(core.statistics.in_use == 1 && core.statistics.waiting == 1)
        #expect(bp_release_unless_awaited(core.pool, next) == .awaited)
        let last = next
        #expect(core.handOff() == 2)
        #expect(bp_release_to_waiter(core.pool, last, &next, &context) == .empty)
        #expect(bp_lease_is_current(core.pool, last))
        #expect(bp_release_unless_awaited(core.pool, last) == .ok)
        #expect(core.statistics.idle == 1)
    }

    @Test("nothing is passed on while a pool is paused, nor after its shutdown")
    func passOnEnds() {
        let core = CorePool(maxSize: 2)
        let first = core.open()
        let second = core.open()
        _ = core.join(1)
        var next = bp_lease()
        var context: UnsafeMutableRawPointer?
        #expect(bp_pause(core.pool) == .ok)
        #expect(bp_release_to_waiter(core.pool, first, &next, &context) == .empty)
        #expect(bp_release_unless_awaited(core.pool, first) == .reconcile)
        #expect(bp_shutdown(core.pool) == .ok)
        #expect(bp_release_to_waiter(core.pool, second, &next, &context) == .empty)
        #expect(bp_release_unless_awaited(core.pool, second) == .reconcile)
        #expect(core.handOff() == 1)
    }

    @Test(
        "a pool that always reconciles says so at every release, leases idle connections, and counts its waiters as before"
    )
    func alwaysReconcile() {
        let core = CorePool(maxSize: 2)
        let lease = core.open()
        #expect(bp_release(core.pool, lease) == .ok)
        for _ in 0..<2 { #expect(bp_always_reconcile(core.pool, true) == .ok) }
        #expect(bp_needs_reconcile(core.pool))
        #expect(!bp_has_waiters(core.pool))
        let again = bp_try_acquire(core.pool)
        #expect(again.slot == lease.slot)
        #expect(bp_release_exclusive(core.pool, again) == .reconcile)
        #expect(bp_release_unless_awaited(core.pool, bp_try_acquire(core.pool)) == .reconcile)
        var swept = bp_lease()
        #expect(bp_sweep_next(core.pool, &swept) == .ok)
        #expect(bp_sweep_keep(core.pool, swept) == .reconcile)
        #expect(bp_sweep_end(core.pool) == .reconcile)
        #expect(bp_sweep_end(core.pool) == .empty)
        var ticket = bp_ticket()
        var isEarliest = false
        var context: UnsafeMutableRawPointer?
        let waiter = UnsafeMutableRawPointer(bitPattern: 64)
        #expect(bp_wait_prepare(core.pool, &ticket) == .ok)
        #expect(bp_wait_join(core.pool, ticket, waiter, UInt64.max, &isEarliest) == .ok)
        #expect(bp_waiting(core.pool) == 1 && bp_queued(core.pool) == 1 && bp_has_waiters(core.pool))
        #expect(bp_wait_claim(core.pool, ticket, &context) == .ok && context == waiter)
        #expect(bp_waiting(core.pool) == 0 && bp_queued(core.pool) == 0)
        #expect(bp_always_reconcile(core.pool, false) == .ok)
        #expect(bp_release(core.pool, bp_try_acquire(core.pool)) == .ok)
        #expect(bp_always_reconcile(nil, true) == .invalidArgument)
    }

    @Test("a pool with few slots at first has memory for few, and grows to its limit")
    func firstSlots() {
        var configuration = bp_pool_configuration()
        configuration.max_size = 60
        configuration.hard_limit = 60
        configuration.element_size = 64
        var memory: [size_t] = []
        for first: UInt32 in [0, 1] {
            configuration.first_slots = first
            var pool: OpaquePointer?
            #expect(bp_pool_create(&configuration, &pool) == .ok)
            memory.append(bp_pool_memory(pool))
            let leases = (0..<60).map { _ in
                var lease = bp_lease()
                #expect(bp_begin_open_unrequested(pool, &lease) == .ok && bp_finish_open(pool, lease) == .ok)
                return lease
            }
            #expect(Set(leases.map(\.slot)).count == 60)
            for lease in leases { #expect(bp_detach(pool, lease) == .ok) }
            #expect(bp_pool_destroy(pool) == .ok)
        }
        #expect(memory[0] - memory[1] >= 31 * 128)
    }

    @Test("connections are excess above the soft limit, and only there")
    func excess() {
        let core = CorePool(maxSize: 1, hardLimit: 3)
        let leases = (0..<3).map { _ in core.open() }
        var none = bp_lease()
        #expect(bp_begin_open_unrequested(core.pool, &none) == .limitReached && none.slot == nil)
        #expect(bp_has_excess(core.pool))
        #expect(bp_begin_close_excess(core.pool, leases[0]) == .ok)
        #expect(bp_begin_close_excess(core.pool, leases[1]) == .ok)
        #expect(bp_begin_close_excess(core.pool, leases[2]) == .empty, "one may stay")
        #expect(core.statistics.closing == 2 && core.statistics.in_use == 1 && bp_total(core.pool) == 3)
        #expect(bp_begin_open_unrequested(core.pool, &none) == .limitReached, "closing connections still count")
        #expect(bp_finish_close(core.pool, leases[0]) == .ok && bp_finish_close(core.pool, leases[1]) == .ok)
        #expect(bp_total(core.pool) == 1 && !bp_has_excess(core.pool))
        #expect(bp_release(core.pool, leases[2]) == .ok)
    }

    @Test("a pool that keeps excess connections keeps them up to the hard limit, also after it was lowered")
    func aboveHardLimit() {
        let core = CorePool(maxSize: 1, hardLimit: 3, keepsExcess: true)
        let leases = (0..<3).map { _ in core.open() }
        #expect(!bp_has_excess(core.pool))
        #expect(bp_begin_close_above_hard_limit(core.pool, leases[0]) == .empty)
        #expect(bp_resize(core.pool, 1, 2) == .ok)
        #expect(bp_has_excess(core.pool))
        #expect(bp_release(core.pool, leases[0]) == .reconcile)
        var idle = bp_lease()
        #expect(bp_take_idle(core.pool, &idle) == .ok && bp_begin_close_above_hard_limit(core.pool, idle) == .ok)
        #expect(!bp_has_excess(core.pool), "closing connections do not count")
        #expect(bp_begin_close_above_hard_limit(core.pool, leases[1]) == .empty, "two may stay")
        #expect(bp_finish_close(core.pool, idle) == .ok)
        #expect(bp_release(core.pool, leases[1]) == .ok && bp_release(core.pool, leases[2]) == .ok)
        #expect(core.statistics.idle == 2 && core.statistics.hard_limit == 2 && core.statistics.max_size == 1)
    }

    @Test("a connection that is detached frees its slot")
    func detach() {
        let core = CorePool(maxSize: 1)
        let lease = core.open()
        #expect(bp_detach(core.pool, lease) == .ok)
        #expect(bp_total(core.pool) == 0 && !bp_lease_is_current(core.pool, lease))
        #expect(bp_detach(core.pool, lease) == .staleLease)
        #expect(bp_release(core.pool, core.open()) == .ok)
    }

    @Test("a pool can keep its excess connections until they are closed")
    func keptExcess() {
        let core = CorePool(maxSize: 1, hardLimit: 3, keepsExcess: true)
        let leases = (0..<3).map { _ in core.open() }
        for lease in leases { #expect(bp_release(core.pool, lease) == .ok, "no need to reconcile") }
        #expect(!bp_has_excess(core.pool) && !bp_needs_reconcile(core.pool))
        #expect(bp_reconcile(core.pool, { _, _ in }, nil) == .ok && core.statistics.idle == 3)
        #expect(core.statistics.max_size == 1 && core.statistics.hard_limit == 3)
        var lease = bp_lease()
        #expect(bp_sweep_next(core.pool, &lease) == .ok && bp_begin_close_excess(core.pool, lease) == .ok)
        #expect(bp_finish_close(core.pool, lease) == .ok)
        #expect(bp_resize(core.pool, 2, 3) == .ok)
        #expect(bp_sweep_next(core.pool, &lease) == .ok && bp_begin_close_excess(core.pool, lease) == .empty)
        #expect(bp_sweep_keep(core.pool, lease) == .ok && bp_sweep_end(core.pool) == .ok)
        lease = bp_try_acquire(core.pool)
        #expect(bp_shutdown(core.pool) == .ok && bp_has_excess(core.pool))
        #expect(bp_release(core.pool, lease) == .reconcile, "a shutdown ends that")
        #expect(bp_reconcile(core.pool, { _, _ in }, nil) == .ok && bp_total(core.pool) == 0)
    }

    @Test("both limits are read at one moment, and are 0 after a shutdown")
    func limits() {
        let core = CorePool(maxSize: 2, hardLimit: 5)
        var maxSize: UInt32 = 0
        var hardLimit: UInt32 = 0
        #expect(bp_limits(core.pool, &maxSize, &hardLimit) == .ok && maxSize == 2 && hardLimit == 5)
        #expect(bp_resize(core.pool, BP_MAX_SIZE, BP_MAX_SIZE) == .ok)
        #expect(bp_limits(core.pool, &maxSize, &hardLimit) == .ok)
        #expect(maxSize == BP_MAX_SIZE && hardLimit == BP_MAX_SIZE)
        #expect(bp_limits(core.pool, nil, &hardLimit) == .invalidArgument)
        #expect(bp_limits(core.pool, &maxSize, nil) == .invalidArgument)
        #expect(bp_shutdown(core.pool) == .ok)
        #expect(bp_limits(core.pool, &maxSize, &hardLimit) == .shutDown && maxSize == 0 && hardLimit == 0)
    }

    @Test("the age of a lease counts from its first observation")
    func ages() {
        let core = CorePool(maxSize: 2)
        let first = core.open()
        bp_observe_leases(core.pool, 100, 10)
        let second = core.open()
        bp_observe_leases(core.pool, 105, 10)
        #expect(bp_oldest_lease_age(core.pool, 130) == 30)
        #expect(bp_release(core.pool, first) == .ok)
        #expect(
            bp_oldest_lease_age(core.pool, 130) == 0,
            "the second was not observed: too soon after the first observation"
        )
        bp_observe_leases(core.pool, 140, 10)
        #expect(bp_oldest_lease_age(core.pool, 150) == 10)
        #expect(bp_release(core.pool, second) == .ok)
        #expect(bp_oldest_lease_age(core.pool, 150) == 0)
    }
}
