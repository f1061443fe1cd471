// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolSwiftCores
import Synchronization
import Testing

/// Sweeps, requeued waiters, limits of waiters, pauses and looks at slots, on each core.
@Suite(.timeLimit(.minutes(5))) struct MaintenanceTests {
    @Test(arguments: CoreKind.allCases)
    func `a sweep sees every idle connection once, and holds one at a time`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 10)
            let leases = try (1...10).map { _ in try fixture.open() }
            let elements = Set(leases.map { fixture.core.element(of: $0) })
            for lease in leases { _ = fixture.core.release(lease) }
            var seen: [UnsafeMutableRawPointer] = []
            while let lease = fixture.core.sweepNext() {
                #expect(fixture.states == [9, 1, 0, 0])
                seen.append(fixture.core.element(of: lease))
                #expect(!fixture.core.sweepKeep(lease))
            }
            #expect(seen.count == 10 && Set(seen) == elements)
            #expect(fixture.states == [10, 0, 0, 0])
            while let needsReconciling = fixture.core.sweepEnd() {
                #expect(!needsReconciling)
                #expect(fixture.states == [10, 0, 0, 0])
            }
            #expect(fixture.states == [10, 0, 0, 0])
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a sweep does not bring seldom used connections into use`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 8)
            let leases = try (1...8).map { _ in try fixture.open() }
            let elements = leases.map { fixture.core.element(of: $0) }
            for lease in leases { _ = fixture.core.release(lease) }
            var used: Set<UnsafeMutableRawPointer> = []
            func use() {
                guard let lease = fixture.core.tryAcquire() else { return }
                used.insert(fixture.core.element(of: lease))
                _ = fixture.core.release(lease)
            }
            for _ in 1...20 {
                var seen = 0
                while seen < 8, let lease = fixture.core.sweepNext() {
                    use()
                    #expect(!fixture.core.sweepKeep(lease))
                    seen += 1
                    use()
                }
                #expect(seen >= 7, "all but the one that was in use each time")
                while fixture.core.sweepEnd() != nil { use() }
            }
            // Not only the last two, because a thread that is moved to another CPU gets another home stripe.
            #expect(used.isDisjoint(with: elements.prefix(3)), "seldom used connections stay unused")
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a connection that a sweep has kept is leased like any other`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 2)
            #expect(!fixture.core.sweepKeep(try fixture.open()))
            #expect(fixture.core.sweepNext() == nil)
            #expect(!fixture.core.sweepKeep(try #require(fixture.core.tryAcquire())))
            #expect(!fixture.core.sweepKeep(try #require(fixture.core.takeIdle())))
            #expect(fixture.core.sweepEnd() == false)
            #expect(fixture.core.sweepEnd() == nil)
            #expect(fixture.core.tryAcquire().map(fixture.core.release) == false)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a sweep that keeps a connection beside a waiter, or beside an excess connection, reconciles`(_ kind: CoreKind)
        throws
    {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 2)
            let (first, second) = (try fixture.open(), try fixture.open())
            try fixture.join(1)
            #expect(fixture.core.sweepKeep(first))
            #expect(fixture.handOff() == 1)
            #expect(fixture.core.resize(_PoolCoreLimits(maxSize: 1, hardLimit: 1)))
            #expect(fixture.core.sweepKeep(second))
            #expect(fixture.core.sweepEnd() == true)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a requeued waiter comes before later waiters`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 2)
            let tickets = try (1...4).map { try fixture.join($0) }
            #expect(!fixture.core.requeueWait(tickets[0]), "the waiter waits for a permit already")
            let (first, firstPermit) = try #require(fixture.beginOpen())
            let (second, secondPermit) = try #require(fixture.beginOpen())
            fixture.core.cancelOpen(firstPermit)
            fixture.core.cancelOpen(secondPermit)
            #expect(fixture.core.requeueWait(second))
            #expect(!fixture.core.requeueWait(second), "once for each permit")
            let (third, thirdPermit) = try #require(fixture.beginOpen())
            #expect(fixture.core.requeueWait(first))
            let (fourth, fourthPermit) = try #require(fixture.beginOpen())
            fixture.core.cancelOpen(thirdPermit)
            fixture.core.cancelOpen(fourthPermit)
            #expect(fixture.claim(third) == 2)
            #expect(fixture.claim(fourth) == 1)
            #expect(!fixture.core.requeueWait(fourth), "the waiter has left")
            #expect(fixture.core.waiting == 2)
            #expect(fixture.handOff() == 3)
            #expect(fixture.handOff() == 4)
            #expect(!fixture.core.hasPermitForWaiter)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `permits go to the oldest waiter that has none, whichever was requeued`(_ kind: CoreKind) throws {
        func check<Core: MeasurableCore>(_ type: Core.Type) throws {
            let fixture = try Fixture(type, maxSize: 4)
            var random = SplitMix(state: 11)
            var line: [(number: Int, ticket: Core.Ticket, permit: Core.Lease?)] = []
            for number in 1...5000 {
                let chosen = line.indices.randomElement(using: &random)
                switch random.next() % 5 {
                case 0:
                    line.append((number, try fixture.join(number), nil))
                case 1:
                    let oldest = line.firstIndex { $0.permit == nil }
                    let free = fixture.core.total < 4
                    let opening = fixture.beginOpen()
                    #expect((opening != nil) == (oldest != nil && free))
                    guard let (ticket, permit) = opening, let oldest else { continue }
                    line[oldest] = (line[oldest].number, ticket, permit)
                case 2:
                    guard let chosen else { continue }
                    let hadPermit = line[chosen].permit != nil
                    if let permit = line[chosen].permit { fixture.core.cancelOpen(permit) }
                    #expect(fixture.core.requeueWait(line[chosen].ticket) == hadPermit)
                    line[chosen].permit = nil
                case 3:
                    guard let chosen else { continue }
                    let gone = line.remove(at: chosen)
                    #expect(fixture.claim(gone.ticket) == gone.number)
                    if let permit = gone.permit { fixture.core.cancelOpen(permit) }
                default:
                    #expect(fixture.handOff() == line.first?.number)
                    guard !line.isEmpty else { continue }
                    if let permit = line.removeFirst().permit { fixture.core.cancelOpen(permit) }
                }
                #expect(fixture.core.waiting == line.count)
                let withoutPermit = line.count { $0.permit == nil }
                #expect(fixture.core.hasPermitForWaiter == (withoutPermit > 0 && fixture.core.total < 4))
            }
            for waiter in line {
                if let permit = waiter.permit { fixture.core.cancelOpen(permit) }
                #expect(fixture.handOff() == waiter.number)
            }
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `maxWaiters is enforced, and waiters for which a slot is free do not count`(_ kind: CoreKind) throws {
        func check<Core: MeasurableCore>(_ type: Core.Type) throws {
            let fixture = try Fixture(type, maxSize: 2, maxWaiters: 2)
            let lease = try fixture.open()
            for number in 1...3 { try fixture.join(number) }
            func isRejected() throws -> Bool {
                let ticket = try fixture.core.prepareWait()
                let answer = fixture.core.joinWait(ticket, context: fixture.context(9), deadline: .max)
                guard case .tooManyWaiters = answer else { return false }
                guard case .tooLate = fixture.core.claimWait(ticket) else { throw Unexpected() }
                return true
            }
            for _ in 1...100 { #expect(try isRejected()) }
            #expect(fixture.core.waiting == 3)
            let (_, permit) = try #require(fixture.beginOpen())
            #expect(try isRejected(), "two waiters without a permit, and no free slot")
            let cancelled = try fixture.core.prepareWait()
            guard case .claimedBeforeJoining = fixture.core.claimWait(cancelled),
                case .cancelled = fixture.core.joinWait(cancelled, context: fixture.context(9), deadline: .max)
            else { throw Unexpected() }
            fixture.core.cancelOpen(permit)
            #expect(try !isRejected(), "the slot is free again")
            for number in [1, 2, 3, 9] { #expect(fixture.handOff() == number) }

            for number in 1...3 { try fixture.join(number) }
            let late = try fixture.core.prepareWait()
            fixture.core.shutdown()
            guard case .shutDown = fixture.core.joinWait(late, context: fixture.context(9), deadline: .max) else {
                throw Unexpected()
            }
            for number in 1...3 { #expect(fixture.handOff() == number) }
            _ = fixture.core.release(lease)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a paused core serves no caller, and everything else continues`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 2, hardLimit: 3)
            let (out, idle) = (try fixture.open(), try fixture.open())
            _ = fixture.core.release(idle)
            #expect(!fixture.core.isPaused)
            fixture.core.pause()
            fixture.core.pause()
            #expect(fixture.core.isPaused)
            #expect(fixture.core.tryAcquire() == nil)
            let first = try fixture.join(1)
            try fixture.join(2, deadline: 100)
            try fixture.join(3)
            #expect(fixture.core.waiting == 3)
            #expect(!fixture.core.hasWaiters && !fixture.core.hasPermitForWaiter)
            #expect(fixture.beginOpen() == nil)
            #expect(fixture.core.beginOpenUnrequested() == nil)
            #expect(fixture.claim(first) == 1)
            #expect(fixture.expire(now: 100).numbers == [2])
            #expect(fixture.core.release(out))
            fixture.core.returnIdle(try #require(fixture.core.takeIdle(), "to close it, or for a sweep"))
            fixture.core.resume()
            fixture.core.resume()
            #expect(!fixture.core.isPaused)
            #expect(fixture.core.hasWaiters && fixture.core.hasPermitForWaiter)
            #expect(fixture.handOff() == 3)
            #expect(fixture.core.release(try #require(fixture.core.tryAcquire())) == false)
            fixture.core.pause()
            fixture.core.shutdown()
            #expect(!fixture.core.isPaused)
            fixture.core.pause()
            #expect(!fixture.core.isPaused && fixture.core.isShutDown)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a permit is available without waiting if no caller waits for one`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            let permit = try #require(fixture.core.beginOpenUnrequested())
            #expect(fixture.states == [0, 0, 1, 0])
            #expect(fixture.core.beginOpenUnrequested() == nil, "the limit is reached")
            fixture.core.finishOpen(permit)
            fixture.core.detach(permit)
            #expect(fixture.states == [0, 0, 0, 0])
            try fixture.join(1)
            #expect(fixture.core.beginOpenUnrequested() == nil, "a caller waits for it")
            #expect(fixture.handOff() == 1)
            let again = try #require(fixture.core.beginOpenUnrequested())
            fixture.core.cancelOpen(again)
            fixture.core.shutdown()
            #expect(fixture.core.beginOpenUnrequested() == nil)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `each slot can be looked at, in every state`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            #expect(fixture.core.slot(at: 0) == nil)
            var states: [_PoolCoreSlotState] = []
            var serials: [UInt64] = []
            func look() throws {
                let slot = try #require(fixture.core.slot(at: 0))
                states.append(slot.state)
                serials.append(slot.serial)
            }
            let permit = try #require(fixture.core.beginOpenUnrequested())
            try look()
            fixture.core.finishOpen(permit)
            try look()
            _ = fixture.core.release(permit)
            try look()
            let lease = try #require(fixture.core.tryAcquire())
            try look()
            fixture.core.beginClose(lease)
            try look()
            let seen = try #require(fixture.core.slot(at: 0)).lease
            #expect(fixture.core.element(of: seen) == fixture.core.element(of: lease))
            fixture.core.finishClose(lease)
            try look()
            #expect(states == [.opening, .leased, .idle, .leased, .closing, .vacant])
            #expect(serials[0] == serials[1] && serials[1] == serials[2])
            #expect(serials[3] > serials[2], "it has another owner")
            #expect(serials[3] == serials[4])
            #expect(fixture.core.slot(at: 1) == nil)
            #expect(fixture.core.slot(at: -1) == nil)
            fixture.finish()
        }
        try check(kind.type)
    }
}
