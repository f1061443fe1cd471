import BurstPool

/// Opens connections that lead nowhere, at once: what is measured is the waiting.
final class NowhereStrategy: ConnectionStrategy {
    func makeConnection() async throws -> sending Int { 0 }
    func connectionIsClosed(_ connection: Int) -> Bool { false }
    func closeConnection(_ connection: sending Int) async throws {}
}

/// What became of one caller.
struct Call: Sendable {
    enum Outcome: Sendable {
        case served
        case refused(ConnectionPoolError.Code)
    }

    /// When it was to come, in seconds from the start.
    var moment: Double
    /// How much later it came, because its timer was late, in seconds.
    var lateness: Double
    /// From the call to the lease, or to the error, in seconds.
    var wait: Double
    /// For how long it had the connection, in seconds: what it wanted, and what its sleep took longer.
    var use: Double
    var outcome: Outcome

    var isServed: Bool {
        if case .served = outcome { true } else { false }
    }
}

/// Callers who come when they come, whether those before them are served or not. A closed loop, in which a caller comes again
/// when it has been served, would be slowed down by the very queue that it shall show.
struct OpenLoop: Sendable {
    var configuration: ConnectionPoolConfiguration
    var arrivals: Arrivals

    func run() async throws -> [Call] {
        let pool = try ConnectionPool(strategy: NowhereStrategy(), configuration: configuration)
        try await pool.prewarm(configuration.maxSize)
        let start = ContinuousClock.now
        let calls = try await withThrowingTaskGroup(of: Call.self) { group in
            // Each sleeps by itself until it comes, so that a late timer delays one caller and does not bunch several. They
            // are started half a second ahead, so that not all of them exist at once.
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
                outcome: .refused(error.code)
            )
        }
    }
}
