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
        #expect(bp_release(nil, lease) == BP_INVALID_ARGUMENT)
        #expect(bp_release_exclusive(nil, lease) == BP_INVALID_ARGUMENT)
        #expect(bp_return_idle(nil, lease) == BP_INVALID_ARGUMENT)
        #expect(bp_take_idle(nil, &lease) == BP_INVALID_ARGUMENT)
        #expect(bp_begin_open(nil, &ticket, &lease) == BP_INVALID_ARGUMENT)
        #expect(bp_begin_open_unrequested(nil, &lease) == BP_INVALID_ARGUMENT)
        #expect(bp_finish_open(nil, lease) == BP_INVALID_ARGUMENT)
        #expect(bp_cancel_open(nil, lease) == BP_INVALID_ARGUMENT)
        #expect(bp_begin_close(nil, lease) == BP_INVALID_ARGUMENT)
        #expect(bp_begin_close_excess(nil, lease) == BP_INVALID_ARGUMENT)
        #expect(bp_finish_close(nil, lease) == BP_INVALID_ARGUMENT)
        #expect(bp_detach(nil, lease) == BP_INVALID_ARGUMENT)
        #expect(bp_wait_prepare(nil, &ticket) == BP_INVALID_ARGUMENT)
        #expect(bp_wait_join(nil, ticket, nil, 0, nil) == BP_INVALID_ARGUMENT)
        #expect(bp_wait_claim(nil, ticket, &context) == BP_INVALID_ARGUMENT)
        #expect(bp_hand_off(nil, &context) == BP_INVALID_ARGUMENT)
        #expect(bp_expire(nil, 0, &context, 1, &next) == 0)
        #expect(bp_next_deadline(nil) == UInt64.max)
        #expect(bp_resize(nil, 1, 1) == BP_INVALID_ARGUMENT)
        var (maxSize, hardLimit): (UInt32, UInt32) = (0, 0)
        #expect(bp_limits(nil, &maxSize, &hardLimit) == BP_INVALID_ARGUMENT)
        #expect(bp_shutdown(nil) == BP_INVALID_ARGUMENT)
        #expect(bp_pool_statistics_get(nil, &statistics) == BP_INVALID_ARGUMENT)
        #expect(bp_pool_destroy(nil) == BP_INVALID_ARGUMENT)
        #expect(bp_acquire(nil, 0, &lease) == BP_INVALID_ARGUMENT)
        #expect(bp_reconcile(nil, nil, nil) == BP_INVALID_ARGUMENT)
        #expect(bp_shutdown_and_reconcile(nil, nil, nil) == BP_INVALID_ARGUMENT)
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
        #expect(bp_release(core.pool, none) == BP_INVALID_ARGUMENT)
        #expect(bp_release_exclusive(core.pool, none) == BP_INVALID_ARGUMENT)
        #expect(bp_begin_close(core.pool, none) == BP_INVALID_ARGUMENT)
        #expect(bp_element(core.pool, none) == nil)
        #expect(!bp_lease_is_current(core.pool, none))
    }

    @Test("a lease of another pool is rejected")
    func foreignLease() {
        let one = CorePool(maxSize: 1)
        let other = CorePool(maxSize: 1)
        let lease = one.open()
        #expect(bp_release(other.pool, lease) == BP_FOREIGN_SLOT)
        #expect(bp_release_exclusive(other.pool, lease) == BP_FOREIGN_SLOT)
        #expect(bp_begin_close(other.pool, lease) == BP_FOREIGN_SLOT)
        #expect(bp_detach(other.pool, lease) == BP_FOREIGN_SLOT)
        #expect(!bp_lease_is_current(other.pool, lease))
        #expect(other.statistics.idle == 0 && one.statistics.in_use == 1)
        #expect(bp_release(one.pool, lease) == BP_OK)
    }

    @Test("a second release is rejected, also when the slot was leased again")
    func doubleRelease() {
        let core = CorePool(maxSize: 2)
        let first = core.open()
        #expect(bp_release(core.pool, first) == BP_OK)
        #expect(bp_release(core.pool, first) == BP_STALE_LEASE)
        #expect(bp_release_exclusive(core.pool, first) == BP_STALE_LEASE)
        let second = bp_try_acquire(core.pool)
        #expect(second.slot == first.slot && second.serial != first.serial)
        #expect(bp_release(core.pool, first) == BP_STALE_LEASE)
        #expect(bp_begin_close(core.pool, first) == BP_STALE_LEASE)
        #expect(core.statistics.in_use == 1 && core.statistics.idle == 0)
        #expect(bp_release(core.pool, second) == BP_OK)
    }

    @Test("a lease in the wrong state is rejected")
    func wrongState() {
        let core = CorePool(maxSize: 2)
        var permit = bp_lease()
        #expect(bp_begin_open_unrequested(core.pool, &permit) == BP_OK)
        #expect(bp_release(core.pool, permit) == BP_STALE_LEASE)
        #expect(bp_finish_close(core.pool, permit) == BP_STALE_LEASE)
        #expect(bp_finish_open(core.pool, permit) == BP_OK)
        #expect(bp_finish_open(core.pool, permit) == BP_STALE_LEASE)
        #expect(bp_cancel_open(core.pool, permit) == BP_STALE_LEASE)
        #expect(bp_begin_close(core.pool, permit) == BP_OK)
        #expect(bp_release(core.pool, permit) == BP_STALE_LEASE)
        #expect(bp_finish_close(core.pool, permit) == BP_OK)
        #expect(bp_finish_close(core.pool, permit) == BP_STALE_LEASE)
        #expect(bp_total(core.pool) == 0)
    }

    @Test("after a shutdown nothing is leased, opened, waited for or resized")
    func afterShutdown() {
        let core = CorePool(maxSize: 2)
        let lease = core.open()
        let idle = core.open()
        #expect(bp_release(core.pool, idle) == BP_OK)
        #expect(bp_shutdown(core.pool) == BP_OK && bp_shutdown(core.pool) == BP_OK)
        var other = bp_lease()
        var ticket = bp_ticket()
        #expect(bp_try_acquire(core.pool).slot == nil)
        #expect(bp_begin_open_unrequested(core.pool, &other) == BP_SHUT_DOWN)
        #expect(bp_wait_prepare(core.pool, &ticket) == BP_SHUT_DOWN)
        #expect(bp_resize(core.pool, 1, 1) == BP_SHUT_DOWN)
        #expect(bp_acquire(core.pool, 0, &other) == BP_SHUT_DOWN)
        #expect(bp_release(core.pool, lease) == BP_RECONCILE, "a released connection is excess")
        #expect(bp_pool_destroy(core.pool) == BP_BUSY, "connections are still open")
    }

    @Test("a ticket can be used once")
    func staleTicket() {
        let core = CorePool(maxSize: 1)
        let ticket = core.join(1)
        var context: UnsafeMutableRawPointer?
        #expect(bp_wait_join(core.pool, ticket, nil, UInt64.max, nil) == BP_STALE_TICKET)
        #expect(bp_wait_claim(core.pool, ticket, &context) == BP_OK)
        #expect(Int(bitPattern: context) == 1)
        #expect(bp_wait_claim(core.pool, ticket, &context) == BP_STALE_TICKET)
        #expect(bp_wait_join(core.pool, ticket, nil, UInt64.max, nil) == BP_STALE_TICKET)
        #expect(bp_wait_claim(core.pool, bp_ticket(value: 0), &context) == BP_STALE_TICKET)
        #expect(bp_wait_claim(core.pool, bp_ticket(value: UInt64.max), &context) == BP_STALE_TICKET)
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
        #expect(bp_pool_create(&configuration, &pool) == BP_INVALID_CONFIGURATION)
        #expect(pool == nil)
        let core = CorePool(maxSize: 3)
        #expect(bp_resize(core.pool, maxSize, hardLimit) == BP_INVALID_CONFIGURATION)
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
        #expect(status == BP_INVALID_CONFIGURATION)
        #expect(pool == nil)
    }

    @Test("every status has a name and a message, and an invalid number is reported as such")
    func messages() {
        let statuses = [
            BP_OK, BP_RECONCILE, BP_OPEN, BP_EMPTY, BP_LIMIT_REACHED, BP_TIMED_OUT, BP_CANCELLED, BP_SHUT_DOWN,
            BP_INVALID_ARGUMENT, BP_INVALID_CONFIGURATION, BP_FOREIGN_SLOT, BP_STALE_LEASE, BP_STALE_TICKET,
            BP_TOO_MANY_WAITERS, BP_OUT_OF_MEMORY, BP_BUSY, BP_CONNECT_FAILED, BP_FORKED,
        ]
        let messages = Set(statuses.map { String(cString: bp_status_message($0)) })
        #expect(messages.count == statuses.count)
        #expect(statuses.allSatisfy { String(cString: bp_status_name($0)).hasPrefix("BP_") })
        #expect(String(cString: bp_status_message(bp_status(rawValue: 999))) == "unknown status")
        #expect(String(cString: bp_status_name(bp_status(rawValue: 999))) == "unknown status")
    }
}
