// SPDX-License-Identifier: Apache-2.0

import CBurstPool
import Testing

@Suite("Misuse of the C API ends in a status, and does not change the pool", .timeLimit(.minutes(5)))
struct MisuseTests {
    @Test("every call that takes a pool rejects NULL")
    func nullPool() {
        var lease = bp_lease()
        var ticket = bp_ticket()
        var context: UnsafeMutableRawPointer?
        var statistics = bp_pool_statistics()
        var next: UInt64 = 0
        #expect(bp_try_acquire(nil).slot == nil)
        #expect(bp_release(nil, lease) == .invalidArgument)
        #expect(bp_release_exclusive(nil, lease) == .invalidArgument)
        #expect(bp_release_unless_awaited(nil, lease) == .invalidArgument)
        #expect(bp_release_to_waiter(nil, lease, &lease, &context) == .invalidArgument)
        #expect(bp_return_idle(nil, lease) == .invalidArgument)
        #expect(bp_take_idle(nil, &lease) == .invalidArgument)
        #expect(bp_begin_open(nil, &ticket, &lease) == .invalidArgument)
        #expect(bp_begin_open_unrequested(nil, &lease) == .invalidArgument)
        #expect(bp_finish_open(nil, lease) == .invalidArgument)
        #expect(bp_cancel_open(nil, lease) == .invalidArgument)
        #expect(bp_begin_close(nil, lease) == .invalidArgument)
        #expect(bp_begin_close_excess(nil, lease) == .invalidArgument)
        #expect(bp_begin_close_above_hard_limit(nil, lease) == .invalidArgument)
        #expect(bp_finish_close(nil, lease) == .invalidArgument)
        #expect(bp_detach(nil, lease) == .invalidArgument)
        #expect(bp_wait_prepare(nil, &ticket) == .invalidArgument)
        #expect(bp_wait_join(nil, ticket, nil, 0, nil) == .invalidArgument)
        #expect(bp_wait_claim(nil, ticket, &context) == .invalidArgument)
        #expect(bp_hand_off(nil, &context) == .invalidArgument)
        #expect(bp_expire(nil, 0, &context, 1, &next) == 0)
        #expect(bp_next_deadline(nil) == UInt64.max)
        #expect(bp_resize(nil, 1, 1) == .invalidArgument)
        var (maxSize, hardLimit): (UInt32, UInt32) = (0, 0)
        #expect(bp_limits(nil, &maxSize, &hardLimit) == .invalidArgument)
        #expect(bp_shutdown(nil) == .invalidArgument)
        #expect(bp_pool_statistics_get(nil, &statistics) == .invalidArgument)
        #expect(bp_pool_destroy(nil) == .invalidArgument)
        #expect(bp_acquire(nil, 0, &lease) == .invalidArgument)
        #expect(bp_reconcile(nil, nil, nil) == .invalidArgument)
        #expect(bp_shutdown_and_reconcile(nil, nil, nil) == .invalidArgument)
        #expect(!bp_needs_reconcile(nil) && !bp_has_waiters(nil) && !bp_has_excess(nil) && !bp_is_shut_down(nil))
        #expect(bp_total(nil) == 0 && bp_pool_memory(nil) == 0 && bp_pool_owner(nil) == nil)
        #expect(bp_element(nil, lease) == nil && bp_element_offset(nil) == 0)
        bp_observe_leases(nil, 1, 1)
        #expect(bp_oldest_lease_age(nil, 1) == 0)
    }

    @Test("an empty lease is rejected")
    func noLease() {
        let core = CorePool(maxSize: 1)
        let none = bp_lease()
        #expect(bp_release(core.pool, none) == .invalidArgument)
        #expect(bp_release_exclusive(core.pool, none) == .invalidArgument)
        #expect(bp_release_unless_awaited(core.pool, none) == .invalidArgument)
        #expect(bp_begin_close(core.pool, none) == .invalidArgument)
        #expect(bp_element(core.pool, none) == nil)
        #expect(!bp_lease_is_current(core.pool, none))
    }

    @Test("a lease of another pool is rejected")
    func foreignLease() {
        let one = CorePool(maxSize: 1)
        let other = CorePool(maxSize: 1)
        let lease = one.open()
        #expect(bp_release(other.pool, lease) == .foreignSlot)
        #expect(bp_release_exclusive(other.pool, lease) == .foreignSlot)
        #expect(bp_release_unless_awaited(other.pool, lease) == .foreignSlot)
        #expect(bp_begin_close(other.pool, lease) == .foreignSlot)
        #expect(bp_detach(other.pool, lease) == .foreignSlot)
        #expect(!bp_lease_is_current(other.pool, lease))
        #expect(other.statistics.idle == 0 && one.statistics.in_use == 1)
        #expect(bp_release(one.pool, lease) == .ok)
    }

    @Test("a second release is rejected, also when the slot was leased again")
    func doubleRelease() {
        let core = CorePool(maxSize: 2)
        let first = core.open()
        #expect(bp_release(core.pool, first) == .ok)
        #expect(bp_release(core.pool, first) == .staleLease)
        #expect(bp_release_exclusive(core.pool, first) == .staleLease)
        let second = bp_try_acquire(core.pool)
        #expect(second.slot == first.slot && second.serial != first.serial)
        #expect(bp_release(core.pool, first) == .staleLease)
        #expect(bp_begin_close(core.pool, first) == .staleLease)
        #expect(core.statistics.in_use == 1 && core.statistics.idle == 0)
        #expect(bp_release(core.pool, second) == .ok)
    }

    @Test("a lease in the wrong state is rejected")
    func wrongState() {
        let core = CorePool(maxSize: 2)
        var permit = bp_lease()
        #expect(bp_begin_open_unrequested(core.pool, &permit) == .ok)
        #expect(bp_release(core.pool, permit) == .staleLease)
        #expect(bp_finish_close(core.pool, permit) == .staleLease)
        #expect(bp_finish_open(core.pool, permit) == .ok)
        #expect(bp_finish_open(core.pool, permit) == .staleLease)
        #expect(bp_cancel_open(core.pool, permit) == .staleLease)
        #expect(bp_begin_close(core.pool, permit) == .ok)
        #expect(bp_release(core.pool, permit) == .staleLease)
        #expect(bp_finish_close(core.pool, permit) == .ok)
        #expect(bp_finish_close(core.pool, permit) == .staleLease)
        #expect(bp_total(core.pool) == 0)
    }

    @Test("after a shutdown nothing is leased, opened, waited for or resized")
    func afterShutdown() {
        let core = CorePool(maxSize: 2)
        let lease = core.open()
        let idle = core.open()
        #expect(bp_release(core.pool, idle) == .ok)
        #expect(bp_shutdown(core.pool) == .ok && bp_shutdown(core.pool) == .ok)
        var other = bp_lease()
        var ticket = bp_ticket()
        #expect(bp_try_acquire(core.pool).slot == nil)
        #expect(bp_begin_open_unrequested(core.pool, &other) == .shutDown)
        #expect(bp_wait_prepare(core.pool, &ticket) == .shutDown)
        #expect(bp_resize(core.pool, 1, 1) == .shutDown)
        #expect(bp_acquire(core.pool, 0, &other) == .shutDown)
        #expect(bp_release(core.pool, lease) == .reconcile, "a released connection is excess")
        #expect(bp_pool_destroy(core.pool) == .busy, "connections are still open")
    }

    @Test("a ticket can be used once")
    func staleTicket() {
        let core = CorePool(maxSize: 1)
        let ticket = core.join(1)
        var context: UnsafeMutableRawPointer?
        #expect(bp_wait_join(core.pool, ticket, nil, UInt64.max, nil) == .staleTicket)
        #expect(bp_wait_claim(core.pool, ticket, &context) == .ok)
        #expect(Int(bitPattern: context) == 1)
        #expect(bp_wait_claim(core.pool, ticket, &context) == .staleTicket)
        #expect(bp_wait_join(core.pool, ticket, nil, UInt64.max, nil) == .staleTicket)
        #expect(bp_wait_claim(core.pool, bp_ticket(value: 0), &context) == .staleTicket)
        #expect(bp_wait_claim(core.pool, bp_ticket(value: UInt64.max), &context) == .staleTicket)
        #expect(core.statistics.waiting == 0)
    }

    @Test(
        "sizes out of range are rejected",
        arguments: [(0, 0), (0, 1), (2, 1), (1, BP_MAX_SIZE + 1), (BP_MAX_SIZE + 1, BP_MAX_SIZE + 1), (1, UInt32.max)]
            as [(UInt32, UInt32)]
    )
    func sizes(maxSize: UInt32, hardLimit: UInt32) {
        var configuration = bp_pool_configuration()
        configuration.max_size = maxSize
        configuration.hard_limit = hardLimit
        var pool: OpaquePointer?
        #expect(bp_pool_create(&configuration, &pool) == .invalidConfiguration)
        #expect(pool == nil)
        let core = CorePool(maxSize: 3)
        #expect(bp_resize(core.pool, maxSize, hardLimit) == .invalidConfiguration)
        #expect(core.statistics.max_size == 3)
    }

    @Test("elements that cannot be stored are rejected", arguments: [(8, 3), (8, 128), (Int.max, 8)])
    func elements(size: Int, alignment: Int) {
        var configuration = bp_pool_configuration()
        configuration.max_size = 1
        configuration.hard_limit = 1
        configuration.element_size = size
        configuration.element_alignment = alignment
        var pool: OpaquePointer?
        let status = bp_pool_create(&configuration, &pool)
        #expect(status == .invalidConfiguration)
        #expect(pool == nil)
    }

    @Test("every status has a name and a message, and an invalid number is reported as such")
    func messages() {
        let statuses: [bp_status] = [
            .ok, .reconcile, .open, .empty, .limitReached, .timedOut, .cancelled, .shutDown,
            .invalidArgument, .invalidConfiguration, .foreignSlot, .staleLease, .staleTicket,
            .tooManyWaiters, .outOfMemory, .busy, .connectFailed, .forked,
        ]
        let messages = Set(statuses.map { String(cString: bp_status_message($0)) })
        #expect(messages.count == statuses.count)
        #expect(statuses.allSatisfy { String(cString: bp_status_name($0)).hasPrefix("BP_") })
        let unknown = bp_status(rawValue: 999)!
        #expect(String(cString: bp_status_message(unknown)) == "unknown status")
        #expect(String(cString: bp_status_name(unknown)) == "unknown status")
    }

    @Test("Swift sees statuses as an enumeration to which cases can be added")
    func enumeration() {
        let core = CorePool(maxSize: 1)
        var lease = bp_lease()
        switch bp_acquire(core.pool, 0, &lease) {
        case .open: #expect(bp_finish_open(core.pool, lease) == .ok)
        case .ok, .timedOut, .shutDown: Issue.record("a pool without connections returns a permit")
        default: Issue.record("no other status is expected")
        }
        #expect(bp_release(core.pool, lease) == .ok)
        #expect(bp_status.open.rawValue == 2 && bp_slot_state.inUse.rawValue == 3)
    }
}
