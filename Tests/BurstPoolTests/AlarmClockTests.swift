// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Testing

@testable import BurstPool

/// The pool's only timer: when it wakes its owner, and that it loses no wake-up.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct AlarmClockTests {
    /// Counts how often it is woken, and can ask for another wake-up each time.
    private final class Owner: AlarmClockOwner {
        let rings = Shared<[UInt64]>([])
        let next = Shared<[UInt64]>([])
        let alarm: AlarmClock
        let clock: PoolClock

        init(_ clock: any Clock<Duration>) {
            self.clock = PoolClock(clock)
            alarm = AlarmClock(self.clock)
            alarm.setOwner(self)
        }

        func alarmClockRang() {
            rings.change { $0.append(clock.now) }
            let moment = next.change { $0.isEmpty ? nil : $0.removeFirst() }
            if let moment { alarm.ring(at: moment) }
        }
    }

    @Test(
        "The clock rings at the moment that was asked for, and a second request for the same time starts no other task"
    )
    func ringsOnce() async throws {
        let clock = ManualClock()
        let owner = Owner(clock)
        owner.alarm.ring(at: 1_000_000_001)
        owner.alarm.ring(at: 1_000_000_001)
        owner.alarm.ring(at: 2_000_000_001)
        try await clock.waitForSleepers(1)
        clock.advance(by: .milliseconds(999))
        #expect(owner.rings.value.isEmpty)
        clock.advance(by: .milliseconds(1))
        try await eventually("the clock has rung") { owner.rings.value == [1_000_000_001] }
        #expect(clock.sleepers == 0, "the owner has asked for nothing else")
    }

    @Test("A request for an earlier moment is met, and the later moment needs no other task")
    func earlier() async throws {
        let clock = ManualClock()
        let owner = Owner(clock)
        owner.alarm.ring(at: 30_000_000_001)
        try await clock.waitForSleepers(1)
        for second in 1...5 {
            owner.next.set([30_000_000_001])
            owner.alarm.ring(at: UInt64(second) * 1_000_000_000 + 1)
            try await clock.waitForSleepers(2)
            clock.advance(by: .seconds(1))
            try await eventually("the clock has rung") { owner.rings.value.count == second }
            try await clock.waitForSleepers(1)
        }
        clock.advance(by: .seconds(25))
        try await eventually("the clock has rung for the last time") { owner.rings.value.last == 30_000_000_001 }
        #expect(clock.sleepers == 0)
    }

    @Test("A request that comes while the clock rings is not lost")
    func whileRinging() async throws {
        let clock = ManualClock()
        let owner = Owner(clock)
        owner.next.set([1_000_000_001, 2_000_000_001])
        owner.alarm.ring(at: 1_000_000_001)
        try await clock.waitForSleepers(1)
        clock.advance(by: .seconds(1))
        try await eventually("the clock has rung twice") { owner.rings.value.count == 2 }
        try await clock.waitForSleepers(1)
        clock.advance(by: .seconds(1))
        try await eventually("the clock has rung again") { owner.rings.value.count == 3 }
    }

    @Test("Requests from several threads at the same time are all met")
    func manyThreads() async throws {
        let owner = Owner(ContinuousClock())
        for _ in 0..<500 {
            let before = owner.rings.value.count
            let latest = await withTaskGroup(of: UInt64.self) { group in
                for task in 0..<4 {
                    group.addTask {
                        var latest: UInt64 = 0
                        for step in 0..<5 {
                            let moment = owner.clock.now + UInt64((task * 5 + step) * 7919 % 3000)
                            owner.alarm.ring(at: moment)
                            latest = max(latest, moment)
                        }
                        return latest
                    }
                }
                return await group.reduce(0, max)
            }
            // The clock rings for the earliest moment. The owner must repeat its later requests.
            owner.alarm.ring(at: latest)
            try await eventually("the clock has rung after the last moment") {
                owner.rings.value.count > before && owner.rings.value.last.map { $0 >= latest } == true
            }
        }
    }

    @Test("However many threads ask at the same time, few tasks sleep")
    func fewSleepers() async throws {
        let clock = ManualClock()
        let owner = Owner(clock)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for step in 0..<5000 { owner.alarm.ring(at: UInt64(600_000_000_000 + step * 4 + task)) }
                }
            }
        }
        try await clock.waitForSleepers(1)
        await letOthersRun()
        #expect(clock.sleepers <= 4, "one for each thread, at most: its first moment was earlier than the others'")
    }

    @Test("More moments than the clock has places for are all met, each earlier than the one before")
    func moreMomentsThanPlaces() async throws {
        let clock = ManualClock()
        let owner = Owner(clock)
        let moments = (1...40).map { UInt64($0) * 1_000_000_000 + 1 }
        for moment in moments.reversed() {
            owner.alarm.ring(at: moment)
            await letOthersRun()
        }
        owner.next.set(Array(moments.dropFirst()))
        for second in 1...40 {
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(1))
            try await eventually("the clock has rung for second \(second)") { owner.rings.value.count == second }
        }
        #expect(owner.rings.value == moments)
    }

    @Test("An owner that was deallocated is not woken, and the clock does not keep it alive")
    func ownerIsGone() async throws {
        let clock = ManualClock()
        weak var gone: Owner?
        do {
            let owner = Owner(clock)
            gone = owner
            owner.alarm.ring(at: 1_000_000_001)
            try await clock.waitForSleepers(1)
        }
        #expect(gone == nil)
        clock.advance(by: .seconds(1))
        try await clock.waitForSleepers(0)
    }

    @Test("Every caller's timeout passes in the end, however short the timeout is", arguments: CoreKind.allCases)
    func deadlines(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let lease = try await pool.acquire()
            let tasks = (0..<8).map { task in
                Task {
                    for step in 0..<500 {
                        let timeout = Duration.nanoseconds((task * 500 + step) * 7919 % 20_000 + 1)
                        _ = try await poolError(.acquireTimedOut) {
                            _ = try await pool.acquire(timeout: .after(timeout))
                        }
                    }
                }
            }
            let ended = Shared(0)
            for task in tasks {
                Task {
                    _ = await task.result
                    ended.countUp()
                }
            }
            try await eventually("all callers have left") { ended.value == tasks.count }
            for task in tasks { try await task.value }
            lease.release()
        }
    }

    @Test("Silencing the clock also ends the sleeping tasks that several threads have started at the same time")
    func silenceAfterManyThreads() async throws {
        let clock = ManualClock()
        let owner = Owner(clock)
        for _ in 0..<200 {
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<4 {
                    group.addTask {
                        for step in 0..<20 { owner.alarm.ring(at: UInt64(1_000_000 - step * 4_000 - task * 1_000)) }
                    }
                }
            }
            owner.alarm.silence()
            try await clock.waitForSleepers(0)
        }
        await letOthersRun()
        #expect(clock.sleepers == 0)
    }
}
