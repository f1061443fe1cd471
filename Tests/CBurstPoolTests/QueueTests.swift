// SPDX-License-Identifier: Apache-2.0

import CBurstPool
import Testing

@Suite("The wait queue", .timeLimit(.minutes(5)))
struct QueueTests {
    @Test("the oldest waiter is served first, and waiters that left are skipped")
    func order() {
        let core = CorePool(maxSize: 1)
        let tickets = (1...6).map { core.join($0) }
        var context: UnsafeMutableRawPointer?
        for left in [1, 3, 6] { #expect(bp_wait_claim(core.pool, tickets[left - 1], &context) == .ok) }
        #expect(core.handOff() == 2)
        #expect(core.handOff() == 4)
        #expect(core.handOff() == 5)
        #expect(core.handOff() == nil)
        #expect(core.statistics.waiting == 0 && !bp_has_waiters(core.pool))
    }

    @Test("a waiter that left before it joined never waits")
    func leftBeforeJoining() {
        let core = CorePool(maxSize: 1)
        var ticket = bp_ticket()
        var context: UnsafeMutableRawPointer?
        #expect(bp_wait_prepare(core.pool, &ticket) == .ok)
        #expect(bp_wait_claim(core.pool, ticket, &context) == .ok && context == nil)
        #expect(bp_wait_join(core.pool, ticket, nil, UInt64.max, nil) == .cancelled)
        #expect(core.statistics.waiting == 0)
    }

    @Test("no caller overtakes: nothing is leased or opened past a waiter")
    func noOvertaking() {
        let core = CorePool(maxSize: 2)
        let lease = core.open()
        _ = core.join(1)
        #expect(bp_release(core.pool, lease) == .reconcile)
        #expect(bp_try_acquire(core.pool).slot == nil)
        var permit = bp_lease()
        #expect(bp_begin_open_unrequested(core.pool, &permit) == .empty)
        #expect(core.handOff() == 1)
        let next = bp_try_acquire(core.pool)
        #expect(next.slot == lease.slot)
        #expect(bp_release(core.pool, next) == .ok)
    }

    @Test("permits go to the oldest waiter without one, up to the hard limit")
    func permits() {
        let core = CorePool(maxSize: 1, hardLimit: 2)
        let tickets = (1...3).map { core.join($0) }
        var ticket = bp_ticket()
        var permits = [bp_lease(), bp_lease(), bp_lease()]
        #expect(bp_begin_open(core.pool, &ticket, &permits[0]) == .ok && ticket.value == tickets[0].value)
        #expect(bp_begin_open(core.pool, &ticket, &permits[1]) == .ok && ticket.value == tickets[1].value)
        #expect(bp_begin_open(core.pool, &ticket, &permits[2]) == .limitReached)
        #expect(core.statistics.opening == 2 && core.statistics.waiting == 3)
        // The first attempt fails: its waiter gets the error, and the slot goes to the third.
        var context: UnsafeMutableRawPointer?
        #expect(bp_cancel_open(core.pool, permits[0]) == .ok)
        #expect(bp_wait_claim(core.pool, tickets[0], &context) == .ok)
        #expect(bp_begin_open(core.pool, &ticket, &permits[2]) == .ok && ticket.value == tickets[2].value)
        #expect(bp_begin_open(core.pool, &ticket, &permits[0]) == .empty, "every waiter has one")
        while core.handOff() != nil {}
        #expect(bp_cancel_open(core.pool, permits[1]) == .ok && bp_cancel_open(core.pool, permits[2]) == .ok)
    }

    @Test("the queue does not grow with waiters that left behind one that stays")
    func memory() {
        let core = CorePool(maxSize: 1)
        _ = core.join(1)
        var context: UnsafeMutableRawPointer?
        var before = 0
        for round in 0..<200_000 {
            #expect(bp_wait_claim(core.pool, core.join(2), &context) == .ok)
            if round == 1_000 { before = bp_pool_memory(core.pool) }
        }
        #expect(bp_pool_memory(core.pool) == before)
        #expect(core.handOff() == 1 && core.handOff() == nil)
    }

    @Test("deadlines end waits in time, and expiring returns when the next one is due")
    func deadlines() {
        let core = CorePool(maxSize: 1)
        #expect(bp_next_deadline(core.pool) == UInt64.max)
        for waiter in 1...300 { _ = core.join(waiter, deadline: UInt64(1_000 - waiter)) }
        _ = core.join(1_000)
        #expect(bp_next_deadline(core.pool) == 700)
        #expect(core.expire(699).gone == [])
        #expect(core.expire(700).gone == [300])
        #expect(bp_next_deadline(core.pool) == 701)
        let (gone, next) = core.expire(709)
        #expect(Set(gone) == Set(291...299) && next == 710)
        var left = Set(1...290)
        while !left.isEmpty {
            let (gone, next) = core.expire(2_000)
            #expect(!gone.isEmpty)
            left.subtract(gone)
            #expect(left.isEmpty == (next == UInt64.max))
        }
        #expect(core.statistics.waiting == 1 && core.handOff() == 1_000)
    }

    @Test("only the caller that lowers the earliest deadline is told to set the timer")
    func arming() {
        let core = CorePool(maxSize: 1)
        var arms: [Bool] = []
        for deadline: UInt64 in [50, 60, 40, 40, UInt64.max] {
            var ticket = bp_ticket()
            var arm = false
            #expect(bp_wait_prepare(core.pool, &ticket) == .ok)
            #expect(bp_wait_join(core.pool, ticket, UnsafeMutableRawPointer(bitPattern: 1), deadline, &arm) == .ok)
            arms.append(arm)
        }
        #expect(arms == [true, false, true, false, false])
        #expect(core.expire(100).gone.count == 4)
        #expect(core.handOff() == 1)
    }
}
