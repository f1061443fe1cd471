// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres

/// A connection to PostgreSQL outside the pool.
actor PostgresControlConnection: ControlConnection {
    private let connection: PostgresConnection
    private let run: RunName
    private let table: RunTable

    init(_ configuration: PostgresConfiguration, _ run: RunName) async throws {
        self.run = run
        table = RunTable(of: run)
        connection = try await PostgresConnectionStrategy(configuration: configuration).makeConnection()
    }

    /// The version of the server, such as "15.18".
    var serverVersion: String {
        "\(connection.serverVersion / 10_000).\(connection.serverVersion % 10_000)"
    }

    /// Returns the number of further connections for which the server has room.
    func freeConnections() async throws -> Int {
        let rows = try await connection.query(
            """
            SELECT current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint \
            - count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
            """
        )
        return try rows.only()[0, as: Int.self]
    }

    /// Creates the table of the run.
    func prepare() async throws {
        try await connection.execute(table.create)
    }

    func poolConnections() async throws -> [Int] {
        let rows = try await connection.query(
            "SELECT pid FROM pg_stat_activity WHERE application_name = $1",
            run.description
        )
        return try rows.map { try $0[0, as: Int.self] }
    }

    func kill(_ id: Int) async throws -> Bool {
        // The name excludes a process that has the id of an ended one.
        let rows = try await connection.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND application_name = $2",
            id,
            run.description
        )
        return try rows.first?[0, as: Bool.self] ?? false
    }

    func values(ofTask task: Int) async throws -> StoredValues {
        guard let row = try await connection.query(table.all, task).first else { return StoredValues() }
        let (text, blob, counter) = try row.decode(String?.self, [UInt8]?.self, Int.self)
        return StoredValues(text: text.map { Array($0.utf8) }, blob: blob, counter: counter)
    }

    /// Drops the table of the run.
    func removeValues(ofTasks tasks: Int) async throws {
        try await connection.execute(table.drop)
    }

    func close() async {
        await connection.close()
    }
}
