import CBurstPool
import Testing

@Suite("Leases, places and limits", .timeLimit(.minutes(5)))
struct LeaseTests {
    @Test("with one stripe, the connection that came back last is leased first")
    func lastInFirstOut() {
        let core = CorePool(maxSize: 8, stripes: 1)
        let leases = (0..<8).map { _ in core.open() }
        for lease in leases { #expect(bp_release(core.pool, lease) == BP_OK) }
        for expected in leases.reversed() { #expect(bp_try_acquire(core.pool).slot == expected.slot) }
        #expect(bp_try_acquire(core.pool).slot == nil)
        #expect(core.statistics.leased == 8)
    }

    @Test("an element keeps its place and its content, at the alignment asked for", arguments: [1, 8, 16, 32, 64])
    func elements(alignment: Int) {
        var configuration = bp_pool_configuration()
        configuration.max_size = 100
        configuration.hard_limit = 100
        configuration.element_size = 24
        configuration.element_alignment = alignment
        var pool: OpaquePointer?
        #expect(bp_pool_create(&configuration, &pool) == BP_OK)
        var leases: [bp_lease] = []
        for number in 0..<100 {
            var lease = bp_lease()
            #expect(bp_begin_open_unasked(pool, &lease) == BP_OK && bp_finish_open(pool, lease) == BP_OK)
            let element = bp_element(pool, lease)!
            #expect(Int(bitPattern: element) % alignment == 0)
            #expect(element == UnsafeMutableRawPointer(lease.slot) + bp_element_offset(pool))
            element.storeBytes(of: number, as: Int.self)
            leases.append(lease)
        }
        for (number, lease) in leases.enumerated() {
            #expect(bp_element(pool, lease)!.load(as: Int.self) == number)
            #expect(bp_begin_close(pool, lease) == BP_OK && bp_finish_close(pool, lease) == BP_OK)
        }
        #expect(bp_pool_destroy(pool) == BP_OK)
    }

    @Test("above the soft limit, and only there, connections are surplus")
    func surplus() {
        let core = CorePool(maxSize: 1, hardLimit: 3)
        let leases = (0..<3).map { _ in core.open() }
        var none = bp_lease()
        #expect(bp_begin_open_unasked(core.pool, &none) == BP_LIMIT_REACHED && none.slot == nil)
        #expect(bp_has_surplus(core.pool))
        #expect(bp_begin_close_surplus(core.pool, leases[0]) == BP_OK)
        #expect(bp_begin_close_surplus(core.pool, leases[1]) == BP_OK)
        #expect(bp_begin_close_surplus(core.pool, leases[2]) == BP_EMPTY, "one may stay")
        #expect(core.statistics.closing == 2 && core.statistics.leased == 1 && bp_total(core.pool) == 3)
        #expect(bp_begin_open_unasked(core.pool, &none) == BP_LIMIT_REACHED, "those closing still count")
        #expect(bp_finish_close(core.pool, leases[0]) == BP_OK && bp_finish_close(core.pool, leases[1]) == BP_OK)
        #expect(bp_total(core.pool) == 1 && !bp_has_surplus(core.pool))
        #expect(bp_release(core.pool, leases[2]) == BP_OK)
    }

    @Test("a connection that is taken out frees its place")
    func detach() {
        let core = CorePool(maxSize: 1)
        let lease = core.open()
        #expect(bp_detach(core.pool, lease) == BP_OK)
        #expect(bp_total(core.pool) == 0 && !bp_lease_is_current(core.pool, lease))
        #expect(bp_detach(core.pool, lease) == BP_STALE_LEASE)
        #expect(bp_release(core.pool, core.open()) == BP_OK)
    }

    @Test("a lease can become a permit for the same place")
    func reopen() {
        let core = CorePool(maxSize: 1)
        let lease = core.open()
        var permit = bp_lease()
        #expect(bp_reopen(core.pool, lease, &permit) == BP_OK)
        #expect(permit.slot == lease.slot && core.statistics.opening == 1)
        #expect(bp_release(core.pool, lease) == BP_STALE_LEASE)
        #expect(bp_finish_open(core.pool, lease) == BP_STALE_LEASE)
        #expect(bp_finish_open(core.pool, permit) == BP_OK && bp_release(core.pool, permit) == BP_OK)
    }

    @Test("ages of leases are counted from when they were first seen")
    func ages() {
        let core = CorePool(maxSize: 2)
        let first = core.open()
        bp_observe_leases(core.pool, 100, 10)
        let second = core.open()
        bp_observe_leases(core.pool, 105, 10)
        #expect(bp_oldest_lease_age(core.pool, 130) == 30)
        #expect(bp_release(core.pool, first) == BP_OK)
        #expect(bp_oldest_lease_age(core.pool, 130) == 0, "the second was not seen: too soon after the first look")
        bp_observe_leases(core.pool, 140, 10)
        #expect(bp_oldest_lease_age(core.pool, 150) == 10)
        #expect(bp_release(core.pool, second) == BP_OK)
        #expect(bp_oldest_lease_age(core.pool, 150) == 0)
    }
}
