// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolSwiftCores
import Testing

/// Slots, leases and limits, on each core.
@Suite(.timeLimit(.minutes(5))) struct LeaseTests {
    @Test(arguments: CoreKind.allCases)
    func `a core without connections leases none`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 2)
            #expect(fixture.core.tryAcquire() == nil)
            #expect(fixture.core.takeIdle() == nil)
            #expect(fixture.beginOpen() == nil, "no caller waits")
            #expect(fixture.core.total == 0)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a released connection is leased again, with its element`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            let lease = try fixture.open()
            let element = fixture.core.element(of: lease)
            element.storeBytes(of: 4711, as: Int.self)
            #expect(!fixture.core.release(lease), "no caller waits, and nothing is excess")
            for _ in 1...1000 {
                let again = try #require(fixture.core.tryAcquire())
                #expect(fixture.core.tryAcquire() == nil)
                #expect(fixture.core.element(of: again) == element)
                #expect(fixture.core.element(of: again).load(as: Int.self) == 4711)
                #expect(!fixture.core.release(again))
            }
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `the connection that was released last is leased first`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 10)
            let leases = try (1...10).map { _ in try fixture.open() }
            let elements = leases.map { fixture.core.element(of: $0) }
            for lease in leases { _ = fixture.core.release(lease) }
            var again: [UnsafeMutableRawPointer] = []
            while let lease = fixture.core.tryAcquire() {
                again.append(fixture.core.element(of: lease))
                fixture.close(lease)
            }
            #expect(again == elements.reversed())
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a connection that was taken can be returned`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 2)
            _ = fixture.core.release(try fixture.open())
            let taken = try #require(fixture.core.takeIdle())
            #expect(fixture.states == [0, 1, 0, 0])
            fixture.core.returnIdle(taken)
            #expect(fixture.states == [1, 0, 0, 0])
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `every connection is counted in its state`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 3, hardLimit: 7)
            let leases = try (1...3).map { _ in try fixture.open() }
            #expect(fixture.states == [0, 3, 0, 0])
            _ = fixture.core.release(leases[0])
            fixture.core.beginClose(leases[1])
            try fixture.join(1)
            let (ticket, permit) = try #require(fixture.beginOpen())
            #expect(fixture.states == [1, 1, 1, 1])
            #expect(fixture.core.total == 4)
            #expect(fixture.core.counts.waiting == 1)
            #expect(fixture.core.counts.limits.maxSize == 3)
            #expect(fixture.core.counts.limits.hardLimit == 7)
            fixture.core.finishClose(leases[1])
            fixture.core.cancelOpen(permit)
            #expect(fixture.claim(ticket) == 1)
            #expect(fixture.states == [1, 1, 0, 0])
            _ = fixture.core.release(leases[2])
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `no permit is given out beyond the hard limit`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1, hardLimit: 3)
            let leases = try (1...3).map { _ in try fixture.open() }
            try fixture.join(1)
            #expect(fixture.beginOpen() == nil)
            fixture.core.beginClose(leases[0])
            #expect(fixture.beginOpen() == nil, "a connection keeps its slot until its close has ended")
            fixture.core.finishClose(leases[0])
            let (_, permit) = try #require(fixture.beginOpen())
            #expect(fixture.handOff() == 1)
            fixture.core.cancelOpen(permit)
            #expect(fixture.core.total == 2)
            fixture.close(leases[1])
            fixture.close(leases[2])
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `only connections above the soft limit are excess`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1, hardLimit: 3)
            let leases = try (1...3).map { _ in try fixture.open() }
            #expect(fixture.core.hasExcess)
            #expect(fixture.core.beginCloseExcess(leases[0]))
            #expect(fixture.core.hasExcess, "a closing connection does not count, so two are left")
            #expect(fixture.core.beginCloseExcess(leases[1]))
            #expect(!fixture.core.hasExcess)
            #expect(!fixture.core.beginCloseExcess(leases[2]), "the last one is within the limit")
            #expect(fixture.states == [0, 1, 0, 2])
            fixture.core.finishClose(leases[0])
            fixture.core.finishClose(leases[1])
            #expect(!fixture.core.release(leases[2]))
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `a release asks for reconciling when a connection is excess or a caller waits`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1, hardLimit: 2)
            let (first, second) = (try fixture.open(), try fixture.open())
            #expect(fixture.core.release(first), "a connection is excess")
            fixture.close(second)
            let lease = try #require(fixture.core.tryAcquire())
            let ticket = try fixture.join(1)
            #expect(fixture.core.release(lease), "a caller waits")
            #expect(fixture.claim(ticket) == 1)
            #expect(!fixture.core.release(try #require(fixture.core.tryAcquire())))
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `limits change while connections are in use`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 1)
            let first = try fixture.open()
            try fixture.join(1)
            #expect(fixture.beginOpen() == nil)
            #expect(fixture.core.resize(_PoolCoreLimits(maxSize: 2, hardLimit: 2)))
            let (ticket, second) = try #require(fixture.beginOpen())
            fixture.core.finishOpen(second)
            #expect(fixture.claim(ticket) == 1)
            #expect(!fixture.core.release(second))
            #expect(fixture.core.resize(_PoolCoreLimits(maxSize: 1, hardLimit: 1)))
            #expect(fixture.core.hasExcess)
            #expect(fixture.core.beginCloseExcess(first))
            fixture.core.finishClose(first)
            fixture.finish()
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `elements are aligned, and do not overlap`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            for (size, alignment) in [(0, 1), (1, 1), (24, 8), (40, 16), (100, 64)] {
                let fixture = try Fixture(type, maxSize: 300, elementSize: size, elementAlignment: alignment)
                let leases = try (1...300).map { _ in try fixture.open() }
                let starts = leases.map { Int(bitPattern: fixture.core.element(of: $0)) }.sorted()
                #expect(starts.allSatisfy { $0 % alignment == 0 })
                #expect(zip(starts, starts.dropFirst()).allSatisfy { $0 + max(size, 1) <= $1 })
                leases.forEach(fixture.close)
                fixture.finish()
            }
        }
        try check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `the age of the oldest lease counts from its first observation`(_ kind: CoreKind) throws {
        func check(_ type: (some MeasurableCore).Type) throws {
            let fixture = try Fixture(type, maxSize: 2)
            let first = try fixture.open()
            #expect(fixture.core.oldestLeaseAge(now: 50) == 0, "leases were not observed yet")
            fixture.core.observeLeases(now: 100, interval: 10)
            let second = try fixture.open()
            fixture.core.observeLeases(now: 105, interval: 10)
            fixture.core.observeLeases(now: 110, interval: 10)
            #expect(fixture.core.oldestLeaseAge(now: 200) == 100)
            fixture.close(first)
            #expect(fixture.core.oldestLeaseAge(now: 200) == 90, "the second observation was too early to count")
            _ = fixture.core.release(second)
            #expect(fixture.core.oldestLeaseAge(now: 200) == 0)
            let again = try #require(fixture.core.tryAcquire())
            #expect(fixture.core.oldestLeaseAge(now: 200) == 0, "another lease of the same slot")
            fixture.close(again)
            fixture.finish()
        }
        try check(kind.type)
    }
}
