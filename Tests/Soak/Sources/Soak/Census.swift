// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// A condition that did not hold within the time limit.
struct Missing: Error {
    let description: String
}

/// Compares the counts of connections of all parties when nothing is running any more.
struct Census<System: Backend>: Sendable {
    let proxy: Proxy
    let backend: System
    let patience: Duration
    let report: Report

    /// Waits until a condition holds.
    ///
    /// - Throws: ``Missing``, with the last state that the condition reported.
    func wait(for what: String, until condition: () async throws -> (holds: Bool, state: String)) async throws {
        let deadline = ContinuousClock.now + patience
        while true {
            let (holds, state) = try await condition()
            if holds { return }
            if ContinuousClock.now >= deadline {
                throw Missing(description: "\(what): not within \(patience); \(state)")
            }
            if report.findings.hasAny { throw Missing(description: "\(what): given up") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Waits until the counts of the pool, the proxy and the server are the same at one moment.
    ///
    /// - Parameter isRight: Returns whether the statistics are as expected.
    func agree(
        _ what: String,
        _ pool: Life<System>.Pool,
        where isRight: (ConnectionPoolStatistics) -> Bool
    ) async throws {
        try await wait(for: what) {
            let before = pool.statistics
            let open = proxy.open
            let clients = try await backend.clients().count
            let after = pool.statistics
            let holds =
                before == after && isRight(after) && after.opening == 0 && after.closing == 0 && after.waiting == 0
                && open.clients == after.total && open.servers == after.total && clients == after.total
            return (
                holds,
                "the pool has \(after), the proxy \(open.clients) sockets and \(open.servers) to the server, the server \(clients)"
            )
        }
    }

    /// Waits until nothing is open any more, in this process and at the server.
    func nothingIsLeft() async throws {
        try await wait(for: "every connection is closed") {
            let open = proxy.open
            let clients = try await backend.clients().count
            let sockets = Footprint.now().connections
            return (
                open.clients == 0 && open.servers == 0 && clients == 0 && sockets == 0,
                "the proxy has \(open.clients) sockets and \(open.servers) to the server, the server \(clients), "
                    + "this process \(sockets) of its own and the proxy's"
            )
        }
    }

    /// Checks that as many leases are possible at the same time as the limit allows, and not one more, and that each
    /// works.
    func everySlotCanBeLeased(_ life: Life<System>) async throws {
        let limit = life.plan.hardLimit
        let holders = Holders<System>()
        for number in 0..<limit {
            Task { await holders.hold(number, life) }
        }
        do {
            try await wait(for: "\(limit) leases at once, which is the limit") {
                (
                    holders.holding == limit || holders.failure != nil,
                    "there are \(holders.holding); \(life.pool.statistics)"
                )
            }
            if let failure = holders.failure { throw Missing(description: failure) }
            try await agree("all \(limit) leased", life.pool) { $0.inUse == limit && $0.idle == 0 }
            if life.pool.tryAcquire() != nil { throw Missing(description: "a connection beyond the limit: tryAcquire") }
            do {
                let lease = try await life.pool.acquire(timeout: .immediate)
                lease.release()
                throw Missing(description: "a connection beyond the limit: acquire")
            } catch is ConnectionPoolError {
                // This is expected.
            }
        } catch {
            holders.release()
            throw error
        }
        holders.release()
        try await wait(for: "the leases have ended") { (holders.holding == 0, "there are \(holders.holding)") }
    }
}

/// Tasks that each hold a lease until they are told to release it.
private final class Holders<System: Backend>: Sendable {
    private let count = Atomic<Int>(0)
    private let isOver = Atomic<Bool>(false)
    private let firstFailure = Mutex<String?>(nil)

    var holding: Int { count.load(ordering: .acquiring) }
    var failure: String? { firstFailure.withLock { $0 } }

    func release() { isOver.store(true, ordering: .releasing) }

    /// Uses a connection that died since its last use, finds that out, and leases another one.
    func hold(_ number: Int, _ life: Life<System>) async {
        while !isOver.load(ordering: .acquiring) {
            do {
                let lease = try await life.pool.acquire(timeout: .seconds(5))
                let visit = Visit(life: life.plan.number, visitor: 900_000 + number, number: 1, neighbour: 0, size: 0)
                do {
                    _ = try await life.backend.perform(System.simplestUse, visit, on: lease.connection)
                } catch {
                    lease.discard()
                    throw error
                }
                count.add(1, ordering: .acquiringAndReleasing)
                while !isOver.load(ordering: .acquiring) { try await Task.sleep(for: .milliseconds(5)) }
                lease.release()
                count.subtract(1, ordering: .acquiringAndReleasing)
                return
            } catch {
                guard Outcome.name(of: error, from: System.self, wasCancelled: false, isEnding: false) != nil else {
                    firstFailure.withLock { if $0 == nil { $0 = Findings.describe(error) } }
                    return
                }
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
    }
}
