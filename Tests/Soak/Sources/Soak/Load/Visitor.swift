// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// One caller that acquires a connection, uses it, and repeats that, in all the ways that the API offers.
final class Visitor<System: Backend>: Sendable {
    private typealias Body = @Sendable (System.Strategy.Connection) async throws -> Int

    private enum Way: CaseIterable {
        /// The most usual way, therefore listed several times.
        case scope, scope2, scope3
        case lease
        case dropped
        case tried
        case discarded
        case detached
    }

    private let number: Int
    private let neighbours: Range<Int>
    private let life: Life<System>

    init(number: Int, neighbours: Range<Int>, life: Life<System>) {
        self.number = number
        self.neighbours = neighbours
        self.life = life
    }

    private var outcomes: Tally { life.report.outcomes }

    func run() async {
        var random = SeededRandom(seed: life.seed, stream: "life \(life.plan.number) visitor \(number)")
        var visits = 0
        while !life.isStopped {
            visits += 1
            let use = random.oneIn(3) ? System.simplestUse : random.element(of: System.Use.allCases)
            let visit = Visit(
                life: life.plan.number,
                visitor: number,
                number: visits,
                neighbour: random.number(neighbours.lowerBound...neighbours.upperBound - 1),
                size: random.number(0...40)
            )
            let life = life
            await perform(&random) { connection in
                try await life.backend.perform(use, visit, on: connection)
            }
            if random.oneIn(4) { try? await Task.sleep(for: random.milliseconds(0...10)) }
        }
    }

    // MARK: - One visit

    private func perform(_ random: inout SeededRandom, _ visit: @escaping Body) async {
        let way = random.element(of: Way.allCases)
        let timeout = timeout(&random)
        guard random.oneIn(6) else {
            await judge(wasCancelled: false) { try await self.perform(visit, way, timeout) }
            return
        }
        let task = Task { try await self.perform(visit, way, timeout) }
        try? await Task.sleep(for: .microseconds(random.number(0...15_000)))
        task.cancel()
        await judge(wasCancelled: true) { try await task.value }
    }

    /// Mostly the timeout of the configuration.
    private func timeout(_ random: inout SeededRandom) -> AcquireTimeout {
        switch random.number(0...11) {
        case 0: .immediate
        case 1: .unlimited
        case 2...4: .after(random.milliseconds(1...30))
        default: .configured
        }
    }

    private func perform(_ visit: @escaping Body, _ way: Way, _ timeout: AcquireTimeout) async throws -> Int {
        let pool = life.pool
        switch way {
        case .scope, .scope2, .scope3:
            return try await pool.withConnection(timeout: timeout) { try await visit($0) }
        case .lease:
            let lease = try await pool.acquire(timeout: timeout)
            let replies = try await visit(lease.connection)
            lease.release()
            return replies
        case .dropped:
            let lease = try await pool.acquire(timeout: timeout)
            return try await visit(lease.connection)
        case .tried:
            guard let lease = pool.tryAcquire() else { return 0 }
            return try await visit(lease.connection)
        case .discarded:
            let lease = try await pool.acquire(timeout: timeout)
            let replies = try await visit(lease.connection)
            lease.discard()
            return replies
        case .detached:
            let connection = try await pool.acquire(timeout: timeout).detach()
            outcomes.count(Outcome.detached)
            let replies = try await visit(connection)
            try await life.strategy.closeConnection(connection)
            return replies
        }
    }

    // MARK: - What came of it

    private func judge(wasCancelled: Bool, _ visit: () async throws -> Int) async {
        do {
            let replies = try await visit()
            outcomes.count(Outcome.rightReplies, replies)
            outcomes.count("visits that ended well")
        } catch {
            guard
                let outcome = Outcome.name(
                    of: error,
                    from: System.self,
                    wasCancelled: wasCancelled,
                    isEnding: life.isEnding
                )
            else {
                life.report.findings.add(Findings.describe(error))
                return
            }
            outcomes.count(outcome)
            // Limits the rate of callers when every call fails immediately.
            try? await Task.sleep(for: .milliseconds(1))
        }
    }
}
