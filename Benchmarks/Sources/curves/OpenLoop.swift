// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// Opens connections that lead nowhere, immediately, because only the waiting is measured.
final class NowhereStrategy: ConnectionStrategy {
    func makeConnection() async throws -> sending Int { 0 }
    func connectionIsClosed(_ connection: Int) -> Bool { false }
    func closeConnection(_ connection: sending Int) async throws {}
}

/// The outcome of one caller.
struct Call: Sendable {
    enum Outcome: Sendable {
        case served
        case rejected(ConnectionPoolError.Code)
    }

    /// When it should come, in seconds from the start.
    var moment: Double
    /// How much later it came, because its timer was late, in seconds.
    var lateness: Double
    /// The time from the call to the lease, or to the error, in seconds.
    var wait: Double
    /// How long it used the connection, in seconds, including the inaccuracy of its sleep.
    var use: Double
    var outcome: Outcome

    var isServed: Bool {
        if case .served = outcome { true } else { false }
    }
}

/// Callers that come independent of whether earlier callers were served. A closed loop, in which a caller comes again
/// when it was served, would be slowed down by the queue that it must measure.
struct OpenLoop: Sendable {
    var configuration: ConnectionPoolConfiguration
    var arrivals: Arrivals

    func run() async throws -> [Call] {
        let pool = try ConnectionPool(strategy: NowhereStrategy(), configuration: configuration)
        try await pool.prewarm(configuration.maxSize)
        let start = ContinuousClock.now
        let calls = try await withThrowingTaskGroup(of: Call.self) { group in
            // Each caller sleeps in its own task until it comes, so that a late timer delays only one caller. The
            // tasks start half a second ahead, so that they do not all exist at the same time.
            for arrival in arrivals.all() {
                if arrival.moment > 1 { try await sleep(until: arrival.moment - 0.5, since: start, slack: 0.25) }
                group.addTask { try await Self.call(arrival, pool, since: start) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        await pool.shutdown()
        return calls
    }

    private func sleep(until moment: Double, since start: ContinuousClock.Instant, slack: Double) async throws {
        let wanted = start + .seconds(moment)
        if ContinuousClock.now < wanted { try await Task.sleep(until: wanted + .seconds(slack), clock: .continuous) }
    }

    private static func call(
        _ arrival: Arrival,
        _ pool: ConnectionPool<NowhereStrategy>,
        since start: ContinuousClock.Instant
    ) async throws -> Call {
        try await Task.sleep(until: start + .seconds(arrival.moment), clock: .continuous)
        let came = ContinuousClock.now
        let lateness = (came - start) / .seconds(1) - arrival.moment
        do {
            let (leased, returned) = try await pool.withConnection { _ in
                let leased = ContinuousClock.now
                try await Task.sleep(for: .seconds(arrival.use))
                return (leased, ContinuousClock.now)
            }
            return Call(
                moment: arrival.moment,
                lateness: lateness,
                wait: (leased - came) / .seconds(1),
                use: (returned - leased) / .seconds(1),
                outcome: .served
            )
        } catch let error as ConnectionPoolError {
            let wait = (ContinuousClock.now - came) / .seconds(1)
            return Call(
                moment: arrival.moment,
                lateness: lateness,
                wait: wait,
                use: 0,
                outcome: .rejected(error.code)
            )
        }
    }
}
