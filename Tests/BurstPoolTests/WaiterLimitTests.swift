// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct WaiterLimitTests {
    @Test(
        "When maxWaiters callers wait, another caller fails immediately, and the others continue to wait",
        arguments: CoreKind.allCases,
        [1, 3]
    )
    func limit(kind: CoreKind, most: Int) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.maxWaiters = most }) { pool, _, _, observer in
            let lease = try await pool.acquire()
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<most { waiters.append(try await pool.startWaiting()) }
            let error = try await poolError(.tooManyWaiters) { try await pool.withConnection { $0.use() } }
            #expect(error.statistics?.waiting == most || error.statistics?.waiting == most + 1)
            #expect(error.message.contains("maxWaiters"))
            let shed = observer.all {
                if case .acquireFailed(let error as ConnectionPoolError, _, _) = $0 { error.code } else { nil }
            }
            #expect(shed == [.tooManyWaiters])
            waiters[0].cancel()
            await #expect(throws: CancellationError.self) { try await waiters.removeFirst().value }
            waiters.append(try await pool.startWaiting())
            lease.release()
            for waiter in waiters { try await waiter.value.release() }
        }
    }

    @Test("A limit above the largest number of a core means no limit", arguments: CoreKind.allCases)
    func greatest(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.maxWaiters = .max }) { pool, _, _, _ in
            let lease = try await pool.acquire()
            let waiters = [try await pool.startWaiting(), try await pool.startWaiting()]
            lease.release()
            for waiter in waiters { try await waiter.value.release() }
        }
    }

    @Test("Callers for which a connection can be opened do not count", arguments: CoreKind.allCases)
    func room(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 4, configure: { $0.maxWaiters = 1 }) { pool, strategy, _, _ in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<5 { waiters.append(try await pool.startWaiting()) }
            _ = try await poolError(.tooManyWaiters) { _ = try await pool.acquire() }
            gate.open()
            for waiter in waiters { try await waiter.value.release() }
        }
    }
}
