@testable import BurstPool
import Testing

/// Alarms that are set while others go off: one whose moment has come by then may wake before it is in its place.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct AlarmRaceTests {
    @Test("A task that replaces itself as it begins, before its start has returned, does not undo that")
    func replacedAtOnce() async {
        let task = ReplaceableTask()
        let clock = ManualClock()
        let ended = Shared(false)
        await InlineStarts.run {
            task.replace {
                task.replace {
                    try? await clock.sleep(until: clock.now.advanced(by: .seconds(1)), tolerance: nil)
                    ended.set(true)
                }
            }
        }
        #expect(clock.sleepers == 1)
        #expect(!ended.value)
        task.cancel()
        await letOthersRun()
        #expect(clock.sleepers == 0)
    }

    @Test("An alarm whose moment has come, and which sets another one before its own setting has ended, loses none")
    func connectAlarmAtOnce() async throws {
        let clock = ManualClock()
        var configuration = ConnectionPoolConfiguration(maxSize: 2)
        configuration.clock = clock
        configuration.acquireTimeout = nil
        configuration.connectDelay = .milliseconds(100)
        let engine = try _PoolEngine<TestStrategy, _ConcurrencyKitCore>(
            strategy: TestStrategy(),
            configuration: configuration
        )
        let first = try await engine.acquire(timeout: nil)
        let second = Task { engine.release(try await engine.acquire(timeout: nil)) }
        try await clock.waitForSleepers(1)
        await InlineStarts.run { engine.connectAlarm.arm(at: engine.clock.now, engine) }
        #expect(clock.sleepers == 1, "the delay of the second is still to end")
        clock.advance(by: .milliseconds(100))
        try await second.value
        engine.release(first)
        await engine.shutdown(drainFor: nil)
    }

    @Test("An alarm for the next connect goes off, however many are set at the same time")
    func connectAlarm() async throws {
        let engine = try _PoolEngine<TestStrategy, _ConcurrencyKitCore>(
            strategy: TestStrategy(),
            configuration: ConnectionPoolConfiguration(maxSize: 1)
        )
        for _ in 0..<2_000 {
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<4 {
                    group.addTask {
                        for step in 0..<5 {
                            let later = UInt64((task * 5 + step) * 7919 % 3000)
                            engine.connectAlarm.arm(at: engine.clock.now + later, engine)
                        }
                    }
                }
            }
            try await eventually("it has gone off") { !engine.connectAlarm.isSet }
        }
        await engine.shutdown(drainFor: nil)
    }

    @Test("Everybody's time is up in the end, however short it was", arguments: CoreKind.allCases)
    func timer(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let lease = try await pool.acquire()
            let tasks = (0..<8).map { task in
                Task {
                    for step in 0..<500 {
                        let timeout = Duration.nanoseconds((task * 500 + step) * 7919 % 20_000 + 1)
                        _ = try await poolError(.acquireTimedOut) { _ = try await pool.acquire(timeout: timeout) }
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
            try await eventually("all have gone") { ended.value == tasks.count }
            for task in tasks { try await task.value }
            lease.release()
        }
    }
}
