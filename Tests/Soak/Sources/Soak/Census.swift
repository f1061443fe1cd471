import BurstPool
import BurstPoolRedis
import Synchronization

/// Counts connections by all who know of them, when nothing is under way any more.
struct Census: Sendable {
    /// What must happen did not, however long it was waited for.
    struct Missing: Error {
        let description: String
    }

    let proxy: Proxy
    let server: Server
    let patience: Duration
    let report: Report

    /// Waits until a condition holds.
    ///
    /// - Throws: ``Missing``, with what the condition said last.
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

    /// What the pool says, what the proxy and what the server count: exactly the same, at one moment.
    ///
    /// - Parameter isRight: Whether the statistics are what they should be.
    func agree(
        _ what: String,
        _ pool: Life.Pool,
        where isRight: (ConnectionPoolStatistics) -> Bool
    ) async throws {
        try await wait(for: what) {
            let before = pool.statistics
            let open = proxy.open
            let clients = try await server.clients().count
            let after = pool.statistics
            let holds =
                before == after && isRight(after) && after.connecting == 0 && after.closing == 0 && after.waiting == 0
                && open.clients == after.total && open.servers == after.total && clients == after.total
            return (
                holds,
                "the pool has \(after), the proxy \(open.clients) sockets and \(open.servers) to the server, the server \(clients)"
            )
        }
    }

    /// Nothing is open any more, neither here nor there.
    func nothingIsLeft() async throws {
        try await wait(for: "every connection is closed") {
            let open = proxy.open
            let clients = try await server.clients().count
            let sockets = Footprint.now().connections
            return (
                open.clients == 0 && open.servers == 0 && clients == 0 && sockets == 0,
                "the proxy has \(open.clients) sockets and \(open.servers) to the server, the server \(clients), "
                    + "this process \(sockets) of its own and the proxy's"
            )
        }
    }

    /// As many leases as there may be connections, all at once, each of which works; not one more.
    func everyPlaceCanBeLeased(_ life: Life) async throws {
        let places = life.plan.hardLimit
        let holders = Holders()
        for place in 0..<places {
            Task { await holders.hold(place, life) }
        }
        do {
            try await wait(for: "\(places) leases at once, which is the limit") {
                (
                    holders.holding == places || holders.failure != nil,
                    "there are \(holders.holding); \(life.pool.statistics)"
                )
            }
            if let failure = holders.failure { throw Missing(description: failure) }
            try await agree("all \(places) leased", life.pool) { $0.inUse == places && $0.idle == 0 }
            if life.pool.tryAcquire() != nil { throw Missing(description: "a connection beyond the limit: tryAcquire") }
            do {
                let lease = try await life.pool.acquire(timeout: .immediate)
                lease.release()
                throw Missing(description: "a connection beyond the limit: acquire")
            } catch is ConnectionPoolError {
                // As it must be.
            }
        } catch {
            holders.letGo()
            throw error
        }
        holders.letGo()
        try await wait(for: "the leases have ended") { (holders.holding == 0, "there are \(holders.holding)") }
    }
}

/// Tasks that hold a lease each, until they are told to let go.
private final class Holders: Sendable {
    private let count = Atomic<Int>(0)
    private let isOver = Atomic<Bool>(false)
    private let firstFailure = Mutex<String?>(nil)

    var holding: Int { count.load(ordering: .acquiring) }
    var failure: String? { firstFailure.withLock { $0 } }

    func letGo() { isOver.store(true, ordering: .releasing) }

    /// A connection that died since it was last used is found when it is: then another one is leased.
    func hold(_ place: Int, _ life: Life) async {
        while !isOver.load(ordering: .acquiring) {
            do {
                let lease = try await life.pool.acquire(timeout: .seconds(5))
                let visit = Visit(
                    life: life.plan.number,
                    visitor: 900_000 + place,
                    number: 1,
                    kind: .echo,
                    neighbour: 0,
                    size: 0
                )
                do {
                    _ = try await visit.perform(on: lease.connection)
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
                guard Outcome.name(of: error, wasCancelled: false, isEnding: false) != nil else {
                    firstFailure.withLock { if $0 == nil { $0 = "an error: \(error)" } }
                    return
                }
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
    }
}
