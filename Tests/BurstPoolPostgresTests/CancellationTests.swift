// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres
import BurstPoolPostgresServer
import Testing

@Suite("Cancellation and timeouts", .timeLimit(.minutes(5)))
struct CancellationTests {
    /// Runs a statement in a task that is cancelled while the server executes it.
    private func cancel(
        _ transferred: Transferred,
        after delay: Duration = .milliseconds(50),
        _ body: @escaping @Sendable (PostgresConnection) async throws -> Void
    ) async -> Result<Void, any Error> {
        let task = Task { try await body(transferred.connection) }
        try? await Task.sleep(for: delay)
        task.cancel()
        return await task.result
    }

    @Test("a cancelled statement ends at the server, and the connection goes on with its own rows")
    func cancelled() async throws {
        let connection = try await connect()
        let transferred = Transferred(connection: connection)
        let start = ContinuousClock.now
        for number in 0..<5 {
            let result = await cancel(transferred) { try await $0.query("SELECT pg_sleep(600)") }
            #expect(throws: CancellationError.self) { try result.get() }
            #expect(!connection.isClosed)
            #expect(try await connection.query("SELECT $1::int", number).only()[0, as: Int.self] == number)
        }
        #expect(ContinuousClock.now - start < .seconds(120))
        await connection.close()
    }

    @Test("a cancellation at any moment never gives a statement the rows of another one")
    func cancelledAtAnyMoment() async throws {
        let pool = try ConnectionPool(strategy: sharedStrategy(), configuration: .init(maxSize: 3))
        let (answered, cancelled) = (Counter(), Counter())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<6 {
                group.addTask {
                    for round in 0..<50 {
                        let number = worker * 1000 + round
                        let task = Task {
                            try await pool.withConnection {
                                try await $0.query("SELECT $1::int FROM pg_sleep(0.001)", number).only()[
                                    0,
                                    as: Int.self
                                ]
                            }
                        }
                        try await Task.sleep(for: .microseconds(Int.random(in: 0...3000)))
                        task.cancel()
                        do {
                            #expect(try await task.value == number)
                            answered.add()
                        } catch is CancellationError {
                            cancelled.add()
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(answered.value + cancelled.value == 300)
        #expect(cancelled.value > 0)
        await pool.shutdown()
        #expect(pool.statistics.total == 0)
    }

    @Test("a task that is cancelled already sends nothing")
    func cancelledBefore() async throws {
        let connection = try await connect()
        let transferred = Transferred(connection: connection)
        let task = Task {
            try? await Task.sleep(for: .seconds(10))
            try await transferred.connection.query("SELECT 1")
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(!connection.isClosed)
        await connection.close()
    }

    @Test("cancellation in a transaction rolls it back")
    func transaction() async throws {
        let connection = try await connect()
        let table = uniqueName()
        try await connection.execute("CREATE TEMP TABLE \(table) (a int)")
        let result = await cancel(Transferred(connection: connection)) { connection in
            try await connection.withTransaction {
                try await $0.execute("INSERT INTO \(table) VALUES (1)")
                try await $0.query("SELECT pg_sleep(600)")
            }
        }
        #expect(throws: CancellationError.self) { try result.get() }
        #expect(try await connection.query("SELECT count(*) FROM \(table)").only()[0, as: Int.self] == 0)
        await connection.close()
    }

    @Test("rows, pipelines and COPY that are cancelled leave the connection usable")
    func streams() async throws {
        let connection = try await connect()
        let transferred = Transferred(connection: connection)
        let rows = await cancel(transferred) { connection in
            try await connection.withRows(of: "SELECT n, pg_sleep(0.01) FROM generate_series(1, 100000) n") { rows in
                for try await _ in rows {}
            }
        }
        #expect(throws: CancellationError.self) { try rows.get() }
        #expect(try await connection.query("SELECT 1").only()[0, as: Int.self] == 1)

        let pipeline = await cancel(transferred) { connection in
            try await connection.pipeline([PostgresStatement("SELECT 1"), PostgresStatement("SELECT pg_sleep(600)")])
        }
        #expect(throws: CancellationError.self) { try pipeline.get() }
        #expect(try await connection.query("SELECT 2").only()[0, as: Int.self] == 2)

        let copyOut = await cancel(transferred) { connection in
            try await connection.withCopyOut("COPY (SELECT pg_sleep(0.01) FROM generate_series(1, 100000)) TO STDOUT") {
                for try await _ in $0 {}
            }
        }
        #expect(throws: CancellationError.self) { try copyOut.get() }
        #expect(try await connection.query("SELECT 3").only()[0, as: Int.self] == 3)

        try await connection.execute("CREATE TEMP TABLE copied (a int)")
        let copyIn = await cancel(transferred) { connection in
            try await connection.withCopyIn("COPY copied FROM STDIN") {
                while true { try await $0.write("1\n") }
            }
        }
        #expect(throws: CancellationError.self) { try copyIn.get() }
        #expect(try await connection.query("SELECT count(*) FROM copied").only()[0, as: Int.self] == 0)
        #expect(!connection.isClosed)
        await connection.close()
    }

    @Test("a statement that takes longer than the query timeout is cancelled, and the connection goes on")
    func timeout() async throws {
        let connection = try await connect { $0.queryTimeout = .milliseconds(200) }
        let start = ContinuousClock.now
        let error = await postgresError { try await connection.query("SELECT pg_sleep(600)") }
        #expect(error?.code == .queryTimedOut)
        #expect(ContinuousClock.now - start < .seconds(120))
        #expect(try await connection.query("SELECT 1").only()[0, as: Int.self] == 1)
        await connection.close()
    }

    @Test("if the server does not react to a cancellation, the connection is closed in time")
    func unresponsive() async throws {
        let server = try sharedServer
        let relay = try Relay(to: server.port)
        let connection = try await connect {
            $0.parameters["port"] = "\(relay.port)"
            $0.cancellationTimeout = .milliseconds(300)
        }
        relay.freeze()
        let start = ContinuousClock.now
        let result = await cancel(Transferred(connection: connection)) { try await $0.query("SELECT 1") }
        #expect(throws: CancellationError.self) { try result.get() }
        #expect(ContinuousClock.now - start < .seconds(120))
        #expect(connection.isClosed)
        await connection.close()
        relay.stop()
    }

    @Test("a second statement at the same time is refused, and the first one goes on")
    func busy() async throws {
        let connection = try await connect()
        let other = Transferred(connection: connection)
        try await connection.withRows(of: "SELECT generate_series(1, 3)") { rows in
            let error = await postgresError { try await other.connection.query("SELECT 1") }
            #expect(error?.code == .connectionBusy)
            var sum = 0
            for try await row in rows { sum += try row[0, as: Int.self] }
            #expect(sum == 6)
        }
        #expect(try await connection.query("SELECT 1").only()[0, as: Int.self] == 1)
        await connection.close()
    }
}
