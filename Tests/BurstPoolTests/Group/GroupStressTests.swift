// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization
import Testing

@Suite("Group: stress", .timeLimit(.minutes(10)))
struct GroupStressTests {
    @Test(
        "Many keys on real threads: the total holds, every caller is served or told, and nothing is left",
        arguments: 1...6
    )
    func manyKeys(seed: UInt64) async throws {
        let (served, cancelled, timedOut) = (Shared(0), Shared(0), Shared(0))
        let callers = 1_000
        try await withGroup(maxTotal: 5, perKey: 3) {
            $0.leasesPerTurn = 4
            // Keys end while others begin.
            $0.keyIdleTimeout = .milliseconds(2)
            // Much longer than the test takes, also beside other work: only a waiter that was forgotten waits for so long.
            $0.perKey.acquireTimeout = .seconds(240)
        } _: { group, server in
            await withTaskGroup { tasks in
                for number in 0..<callers {
                    tasks.addTask {
                        var random = Random(seed: seed &* 1_000_003 &+ UInt64(number))
                        for _ in 0..<random.number(0...40) { await Task.yield() }
                        let key = "key \(random.number(0...random.number(1...20)))"
                        let timeout: AcquireTimeout = random.number(0...9) == 0 ? .milliseconds(5) : .configured
                        let yields = random.number(0...5)
                        let caller = Task {
                            try await group.withConnection(for: key, timeout: timeout) { connection in
                                if connection.tenant != key { TenantConnection.overlaps.add(1, ordering: .relaxed) }
                                await connection.use(yields)
                            }
                        }
                        if random.number(0...7) == 0 {
                            for _ in 0..<random.number(0...10) { await Task.yield() }
                            caller.cancel()
                        }
                        do {
                            try await caller.value
                            served.countUp()
                        } catch is CancellationError {
                            cancelled.countUp()
                        } catch let error as ConnectionPoolError where error.code == .acquireTimedOut {
                            timedOut.countUp()
                            if error.timeout == .seconds(240) { Issue.record("a waiter was forgotten: \(error)") }
                        } catch {
                            Issue.record("unexpected: \(error)")
                        }
                    }
                }
            }
            #expect(group.statistics.inUse == 0)
            #expect(group.statistics.waiting == 0)
            #expect(group.keys.allSatisfy { group.account(for: $0)?.isWaiting != true })
            try await eventually("every key has lost its pool") { group.keyCount == 0 }
            try await eventually("all connections are closed") { server.total == 0 }
        }
        #expect(served.value + cancelled.value + timedOut.value == callers)
        #expect(TenantConnection.overlaps.load(ordering: .relaxed) == 0)
    }

    @Test("A key that comes and goes all the time has one pool, and no caller uses a pool that has ended")
    func comingAndGoing() async throws {
        try await withGroup(maxTotal: 2, perKey: 1) {
            $0.keyIdleTimeout = .milliseconds(1)
        } _: { group, server in
            await withTaskGroup { tasks in
                for task in 0..<4 {
                    tasks.addTask {
                        for round in 0..<200 {
                            do {
                                try await group.withConnection(for: "key \((task + round) % 3)") {
                                    $0.begin(); $0.end()
                                }
                            } catch {
                                Issue.record("unexpected: \(error)")
                            }
                            if round % 8 == 0 { try? await Task.sleep(for: .milliseconds(2)) }
                        }
                    }
                }
            }
            #expect(TenantConnection.overlaps.load(ordering: .relaxed) == 0)
        }
    }
}
