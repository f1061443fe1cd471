// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolSwiftCores
import Testing

/// The wait queue, on each core.
@Suite(.timeLimit(.minutes(5))) struct WaitingTests {
    @Test(arguments: CoreKind.allCases)
    func `first come, first served`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            #expect(!fixture.core.hasWaiters)
            for number in 1...500 { try fixture.join(number) }
            #expect(fixture.core.hasWaiters)
            #expect(fixture.core.counts.waiting == 500)
            for number in 1...500 { #expect(fixture.handOff() == number) }
            #expect(fixture.handOff() == nil)
            #expect(!fixture.core.hasWaiters)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `no caller overtakes a waiter`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            _ = fixture.core.release(try fixture.open())
            let ticket = try fixture.join(1)
            #expect(fixture.core.tryAcquire() == nil)
            let lease = try #require(fixture.core.takeIdle(), "reconciling may take it")
            fixture.core.returnIdle(lease)
            #expect(fixture.claim(ticket) == 1)
            fixture.core.returnIdle(try #require(fixture.core.tryAcquire()))
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a waiter that leaves is not served, and the others keep their order`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            let tickets = try (1...9).map { try fixture.join($0) }
            for index in [0, 4, 5, 8] {
                #expect(fixture.claim(tickets[index]) == index + 1)
                #expect(fixture.claim(tickets[index]) == nil, "once")
            }
            try fixture.join(10)
            for number in [2, 3, 4, 7, 8, 10] { #expect(fixture.handOff() == number) }
            #expect(fixture.handOff() == nil)
            for ticket in tickets { #expect(fixture.claim(ticket) == nil, "too late") }
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a wait that is cancelled before it begins never begins`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            for _ in 1...1000 {
                let ticket = try fixture.core.prepareWait()
                #expect(!fixture.core.hasWaiters)
                guard case .claimedBeforeJoining = fixture.core.claimWait(ticket) else { throw Unexpected() }
                guard case .tooLate = fixture.core.claimWait(ticket) else { throw Unexpected() }
                guard case .cancelled = fixture.core.joinWait(ticket, context: fixture.context(1), deadline: 5) else {
                    throw Unexpected()
                }
                #expect(fixture.core.counts.waiting == 0)
                #expect(fixture.core.nextDeadline == nil)
            }
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `permits go to the oldest waiter that has none, which continues to wait`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 4)
            let tickets = try (1...5).map { try fixture.join($0) }
            let (first, firstPermit) = try #require(fixture.beginOpen())
            let (second, secondPermit) = try #require(fixture.beginOpen())
            #expect(fixture.claim(tickets[2]) == 3, "the next waiter leaves")
            let (third, thirdPermit) = try #require(fixture.beginOpen())
            #expect(fixture.core.counts.waiting == 4)
            #expect(fixture.handOff() == 1, "another connection was released first")
            fixture.core.finishOpen(firstPermit)
            #expect(fixture.claim(first) == nil, "so the permit is for the next waiter")
            #expect(fixture.claim(second) == 2)
            #expect(fixture.claim(third) == 4)
            let (last, lastPermit) = try #require(fixture.beginOpen())
            #expect(fixture.beginOpen() == nil, "no waiter is left that needs a permit")
            #expect(fixture.claim(last) == 5)
            fixture.core.cancelOpen(secondPermit)
            fixture.core.cancelOpen(thirdPermit)
            fixture.core.cancelOpen(lastPermit)
            _ = fixture.core.release(firstPermit)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `waiters leave when their deadline passes, and not earlier`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            try fixture.join(1)
            try fixture.join(2, deadline: 30)
            try fixture.join(3, deadline: 10)
            let fourth = try fixture.join(4, deadline: 20)
            #expect(fixture.core.nextDeadline == 10)
            #expect(fixture.expire(now: 9) == ([], 10))
            #expect(fixture.expire(now: 10) == ([3], 20))
            #expect(fixture.claim(fourth) == 4)
            let early = fixture.expire(now: 20)
            #expect(early.numbers == [])
            #expect(early.next == 30)
            #expect(fixture.expire(now: 1000) == ([2], nil))
            #expect(fixture.core.nextDeadline == nil)
            #expect(fixture.expire(now: .max - 1) == ([], nil))
            #expect(fixture.handOff() == 1, "it waits without a limit")
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `the caller that lowers the next deadline must set the timer`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            #expect(try !fixture.joinReportingTimer(1, deadline: .max))
            #expect(try fixture.joinReportingTimer(2, deadline: 100))
            #expect(try !fixture.joinReportingTimer(3, deadline: 100))
            #expect(try !fixture.joinReportingTimer(4, deadline: 200))
            #expect(try fixture.joinReportingTimer(5, deadline: 99))
            #expect(fixture.core.nextDeadline == 99)
            let (numbers, next) = fixture.expire(now: 150)
            #expect(Set(numbers) == [2, 3, 5])
            #expect(next == 200, "the caller must set the timer for the one that is left")
            #expect(try fixture.joinReportingTimer(6, deadline: 160))
            for number in [1, 4, 6] { #expect(fixture.handOff() == number) }
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a thousand waiters with the same deadline all leave`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            for number in 1...1000 { try fixture.join(number, deadline: UInt64(number % 7 + 1)) }
            var gone: [Int] = []
            for _ in 1...10 where gone.count < 1000 {
                let (numbers, next) = fixture.expire(now: 7)
                gone += numbers
                #expect(next == nil || gone.count < 1000)
            }
            #expect(gone.sorted() == Array(1...1000))
            #expect(fixture.core.nextDeadline == nil)
            #expect(!fixture.core.hasWaiters)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `after the shutdown nothing is leased, opened or waited for`(_ kind: CoreKind) throws {
        func check<Core: MeasurableCore>(_ type: Core.Type) throws {
            let fixture = try Fixture(type, maxSize: 3)
            _ = fixture.core.release(try fixture.open())
            let out = try fixture.open()
            let prepared = try fixture.core.prepareWait()
            _ = fixture.core.release(out)
            let lease = try #require(fixture.core.tryAcquire())
            try fixture.join(1)
            #expect(!fixture.core.isShutDown)

            fixture.core.shutdown()
            fixture.core.shutdown()
            #expect(fixture.core.isShutDown)
            #expect(fixture.handOff() == 1, "the waiter is still there, and must get the error")
            #expect(fixture.core.tryAcquire() == nil)
            #expect(throws: _PoolCoreFailure.shutDown) { _ = try fixture.core.prepareWait() }
            guard case .shutDown = fixture.core.joinWait(prepared, context: fixture.context(2), deadline: .max) else {
                throw Unexpected()
            }
            #expect(fixture.core.counts.waiting == 0)
            #expect(fixture.beginOpen() == nil)
            #expect(!fixture.core.resize(_PoolCoreLimits(maxSize: 5, hardLimit: 5)))
            #expect(fixture.core.counts.limits.maxSize == 0)

            #expect(fixture.core.release(lease), "a released connection is excess")
            for _ in 1...2 {
                let idle = try #require(fixture.core.takeIdle())
                #expect(fixture.core.beginCloseExcess(idle))
                fixture.core.finishClose(idle)
            }
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a hundred thousand waits reuse their memory`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            for round in 1...100_000 {
                try fixture.join(round, deadline: UInt64(round))
                #expect(fixture.handOff() == round)
            }
            let memory = fixture.core.memory
            for round in 1...100_000 {
                let ticket = try fixture.join(round)
                #expect(fixture.claim(ticket) == round)
            }
            #expect(fixture.core.memory <= memory * 4)
            #expect(fixture.core.memory < 100_000)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `waiters that leave behind one that stays do not keep their memory`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            try fixture.join(1)
            for round in 2...100_000 {
                if round % 3 == 0 {
                    try fixture.join(round, deadline: UInt64(round))
                    #expect(fixture.expire(now: UInt64(round)).numbers == [round])
                } else {
                    #expect(fixture.claim(try fixture.join(round)) == round)
                }
            }
            #expect(fixture.core.memory < 100_000)
            #expect(fixture.core.counts.waiting == 1)
            #expect(fixture.handOff() == 1)
            fixture.finish()
        }
        try check(kind.type)
    }
}
