// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolSizing
import BurstPoolTesting
import Foundation
import Testing

@Suite("Recording a workload", .timeLimit(.minutes(1)))
struct RecorderTests {
    private func isBucket(_ duration: Duration, of expected: Duration) -> Bool {
        isNear(duration / .seconds(1), expected / .seconds(1), within: 1.0 / 32, orDifferBy: 1e-9)
    }

    @Test("The recorder counts callers, and records how long uses, connects and waits take")
    func records() async throws {
        let clock = ManualClock()
        let recorder = WorkloadRecorder(clock: clock)
        let strategy = ScriptedStrategy { script in
            script.open = { attempt in
                if attempt == 1 { throw ScriptedError("refused") }
                try await clock.sleep(for: .milliseconds(20))
            }
        }
        var configuration = ConnectionPoolConfiguration(maxSize: 1)
        configuration.clock = clock
        configuration.acquireTimeout = nil
        configuration.observer = recorder
        let pool = try ConnectionPool(strategy: strategy, configuration: configuration)

        await #expect(throws: ScriptedError.self) { try await pool.withConnection { _ in } }
        let opening = Task { try await pool.acquire().release() }
        try await clock.waitForSleepers(1)
        clock.advance(by: .milliseconds(20))
        try await opening.value

        let lease = try await pool.acquire()
        let waiter = Task { try await pool.acquire().release() }
        while pool.statistics.waiting == 0 { await Task.yield() }
        clock.advance(by: .milliseconds(5))
        lease.release()
        try await waiter.value
        for _ in 0..<6 { try await pool.withConnection { _ in } }

        clock.advance(by: .milliseconds(1975))
        let workload = recorder.workload
        #expect(workload.seconds == 2)
        #expect(workload.callers == 10)
        #expect(workload.failedCallers == 1)
        #expect(workload.callersPerSecond == 5)
        #expect(workload.busiestSecond == 10)
        #expect(workload.failedConnects == 1)
        #expect(workload.connect.count == 1)
        #expect(isBucket(workload.connect.quantile(0.5), of: .milliseconds(20)))
        #expect(workload.use.count == 9)
        #expect(workload.use.quantile(0.5) == .zero)
        #expect(isBucket(workload.use.quantile(1), of: .milliseconds(5)))
        #expect(workload.wait.count == 9)
        #expect(isBucket(workload.wait.quantile(1), of: .milliseconds(20)))
        await pool.shutdown()
    }

    @Test("The busiest second is the one with the most callers")
    func busiestSecond() {
        let clock = ManualClock()
        let recorder = WorkloadRecorder(clock: clock)
        for callers in [3, 7, 0, 2] {
            for _ in 0..<callers { recorder.connectionPool(.acquired(.idle, waited: .zero, wait: nil)) }
            clock.advance(by: .seconds(1))
        }
        #expect(recorder.workload.busiestSecond == 7)
        #expect(recorder.workload.callersPerSecond == 3)
    }

    @Test("Nothing is lost if several threads record at the same time")
    func threads() async {
        let recorder = WorkloadRecorder(clock: ManualClock())
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { @concurrent in
                    for _ in 0..<2500 {
                        recorder.connectionPool(.acquired(.idle, waited: .zero, wait: nil))
                        recorder.connectionPool(.released(held: .milliseconds(3)))
                    }
                }
            }
        }
        let workload = recorder.workload
        #expect(workload.callers == 10_000)
        #expect(workload.use.count == 10_000)
        #expect(workload.busiestSecond == 10_000)
    }

    @Test("A reset begins a new recording")
    func reset() {
        let clock = ManualClock()
        let recorder = WorkloadRecorder(clock: clock)
        recorder.connectionPool(.acquired(.idle, waited: .zero, wait: nil))
        recorder.connectionPool(.released(held: .milliseconds(3)))
        recorder.connectionPool(.opened(duration: .milliseconds(3), wait: nil))
        clock.advance(by: .seconds(5))
        recorder.reset()
        clock.advance(by: .seconds(1))
        let workload = recorder.workload
        #expect(workload.seconds == 1)
        #expect(workload.callers == 0 && workload.busiestSecond == 0)
        #expect(workload.use.isEmpty && workload.connect.isEmpty && workload.wait.isEmpty)
    }

    // MARK: As a load

    private func recorded() -> RecordedWorkload {
        let clock = ManualClock()
        let recorder = WorkloadRecorder(clock: clock)
        for _ in 0..<40 {
            recorder.connectionPool(.acquired(.idle, waited: .zero, wait: nil))
            recorder.connectionPool(.released(held: .milliseconds(3)))
        }
        recorder.connectionPool(.opened(duration: .milliseconds(30), wait: nil))
        clock.advance(by: .seconds(4))
        return recorder.workload
    }

    @Test("JSON keeps the whole workload")
    func json() throws {
        let workload = recorded()
        let data = try JSONEncoder().encode(workload)
        #expect(try JSONDecoder().decode(RecordedWorkload.self, from: data) == workload)
    }

    @Test("The load is what was recorded")
    func load() throws {
        let load = try recorded().load()
        #expect(load.rate == 10)
        #expect(isBucket(load.use.mean, of: .milliseconds(3)))
        #expect(isBucket(load.connect.mean, of: .milliseconds(30)))
        #expect(try recorded().load(connect: .constant(.seconds(1))).connect == .constant(.seconds(1)))
    }

    @Test("A workload that is not complete is an error that says what is missing")
    func incomplete() {
        func refuses(_ text: String, _ change: (inout RecordedWorkload) -> Void) {
            var workload = recorded()
            change(&workload)
            let error = #expect(throws: SizingError.self) { try workload.load() }
            #expect(error?.code == .incompleteWorkload)
            #expect(error?.description.contains(text) == true)
        }
        refuses("0 callers") { $0.callers = 0 }
        refuses("0.0 seconds") { $0.seconds = 0 }
        refuses("nan seconds") { $0.seconds = .nan }
        refuses("1e+300 seconds") { $0.seconds = 1e300 }
        refuses("uses") { $0.use = DurationHistogram() }
        refuses("connects") { $0.connect = DurationHistogram() }
    }
}
