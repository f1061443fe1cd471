// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres

/// Counts the connections of the processes at the server, through a connection of a superuser, for which the server reserves
/// places.
final class Sampler {
    struct Sample {
        let second: Double
        /// The connections of each process.
        let connections: [Int: Int]
        var total: Int { connections.values.reduce(0, +) }
        /// The sessions that the look before has found as well.
        let lasting: Int
    }

    private(set) var samples: [Sample] = []
    /// The most connections that two looks in a row have found. A session that is ending is listed for some milliseconds after its
    /// client has closed it, so one look can see both it and the session that took its place.
    var mostAtOnce: Int { samples.map(\.lasting).max() ?? 0 }
    private let connection: PostgresConnection
    private var before: Set<Int> = []

    init(url: String) async throws {
        connection = try await PostgresConnectionStrategy(url: url).makeConnection()
    }

    func look(at start: ContinuousClock.Instant) async throws {
        let rows = try await connection.query(
            "SELECT pid, application_name FROM pg_stat_activity WHERE usename = 'app'"
        )
        var connections: [Int: Int] = [:]
        var sessions: Set<Int> = []
        for row in rows {
            let (session, name) = try row.decode(Int.self, String.self)
            sessions.insert(session)
            // A session has no name for a moment after it has begun.
            connections[Int(name.split(separator: " ").last ?? "") ?? -1, default: 0] += 1
        }
        samples.append(
            Sample(
                second: (ContinuousClock.now - start) / .seconds(1),
                connections: connections,
                lasting: sessions.intersection(before).count
            )
        )
        before = sessions
    }

    /// The same as ``mostAtOnce``, in a part of the run. In seconds.
    func mostAtOnce(from start: Double, to end: Double) -> Int {
        samples.filter { $0.second >= start && $0.second <= end }.map(\.lasting).max() ?? 0
    }

    func close() async { await connection.close() }
}
