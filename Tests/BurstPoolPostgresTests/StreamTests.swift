// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres
import BurstPoolPostgresServer
import Testing

@Suite("Streams", .timeLimit(.minutes(5)))
struct StreamTests {
    @Test("rows arrive one by one, and the connection is free afterwards")
    func rows() async throws {
        for sslmode in ["disable", "require"] {
            let connection = try await connect { $0.parameters["sslmode"] = sslmode }
            let sum = try await connection.withRows(
                of: "SELECT n, repeat('x', 300) FROM generate_series(1, $1::int) n",
                20_000
            ) {
                rows in
                var sum = 0
                for try await row in rows { sum += try row[0, as: Int.self] }
                return sum
            }
            #expect(sum == 20_000 * 20_001 / 2)
            let none = try await connection.withRows(of: "SELECT 1 WHERE false") { rows in
                var count = 0
                for try await _ in rows { count += 1 }
                return count
            }
            #expect(none == 0)
            #expect(try await connection.query("SELECT 1").only()[0, as: Int.self] == 1)
            await connection.close()
        }
    }

    @Test("a closure that stops early, throws or never reads leaves the connection usable")
    func stoppedEarly() async throws {
        struct Stop: Error {}
        let connection = try await connect()
        let sql = "SELECT n, repeat('x', 100) FROM generate_series(1, 10000000) n"
        let first = try await connection.withRows(of: sql) { rows in
            for try await row in rows { return try row[0, as: Int.self] }
            return 0
        }
        #expect(first == 1)
        await #expect(throws: Stop.self) { try await connection.withRows(of: sql) { _ in throw Stop() } }
        try await connection.withRows(of: sql) { _ in }
        #expect(!connection.isClosed)
        #expect(try await connection.query("SELECT 5").only()[0, as: Int.self] == 5)
        await connection.close()
    }

    @Test("an error in the middle of the rows is thrown where it occurs")
    func errorInTheMiddle() async throws {
        let connection = try await connect()
        let counter = Counter()
        let error = await postgresError {
            try await connection.withRows(of: "SELECT 10 / (5 - n) FROM generate_series(1, 10) n") { rows in
                for try await _ in rows { counter.add() }
            }
        }
        #expect(error?.sqlState == "22012")
        #expect(counter.value == 4)
        #expect(try await connection.query("SELECT 1").count == 1)
        await connection.close()
    }

    @Test("rows that are kept beyond their closure end with an error, not with another query's rows")
    func escaped() async throws {
        let connection = try await connect()
        // The compiler refuses this without the word "unsafe".
        nonisolated(unsafe) var escaped: PostgresRowSequence.AsyncIterator?
        try await connection.withRows(of: "SELECT generate_series(1, 1000)") { rows in
            escaped = rows.makeAsyncIterator()
            _ = try await escaped?.next()
        }
        let error = await postgresError { _ = try await escaped?.next() }
        #expect(error?.code == .sequenceEnded)
        await connection.close()
    }

    @Test("COPY in and out transfer data, and what goes wrong leaves the connection usable")
    func copy() async throws {
        struct Stop: Error {}
        let connection = try await connect()
        let table = uniqueName()
        try await connection.execute("CREATE TEMP TABLE \(table) (id int, name text)")
        let copied = try await connection.withCopyIn("COPY \(table) FROM STDIN") { copy in
            for id in 0..<10_000 { try await copy.write("\(id)\tname \(id)\n") }
        }
        #expect(copied == 10_000)
        let chunks = AsyncStream { continuation in
            continuation.yield(Array("10000\tx\n100".utf8))
            continuation.yield(Array("01\ty\n".utf8))
            continuation.finish()
        }
        #expect(try await connection.copyIn("COPY \(table) FROM STDIN", from: chunks) == 2)

        let lines = try await connection.withCopyOut("COPY (SELECT * FROM \(table) ORDER BY id) TO STDOUT") { lines in
            var all: [String] = []
            for try await line in lines { all.append(String(decoding: line, as: UTF8.self)) }
            return all
        }
        #expect(lines.count == 10_002)
        #expect(lines[1] == "1\tname 1\n")
        let some = try await connection.withCopyOut("COPY (SELECT * FROM generate_series(1, 10000000)) TO STDOUT") {
            lines in
            for try await line in lines { return line.count }
            return 0
        }
        #expect(some == 2)

        await #expect(throws: Stop.self) {
            try await connection.withCopyIn("COPY \(table) FROM STDIN") { copy in
                try await copy.write("7\tx\n")
                throw Stop()
            }
        }
        let malformed = await postgresError {
            try await connection.withCopyIn("COPY \(table) FROM STDIN") { try await $0.write("not a number\tx\n") }
        }
        #expect(malformed?.sqlState == "22P02")
        for wrong in ["SELECT 1", "COPY \(table) TO STDOUT", "INSERT INTO \(table) VALUES (0)"] {
            let error = await postgresError { try await connection.withCopyIn(wrong) { _ in } }
            #expect(error?.code == .unexpectedStatement, "\(wrong)")
        }
        let error = await postgresError { try await connection.withCopyOut("COPY \(table) FROM STDIN") { _ in } }
        #expect(error?.code == .unexpectedStatement)
        #expect(
            await postgresError { try await connection.withCopyOut("COPY nowhere TO STDOUT") { _ in } }?.sqlState
                == "42P01"
        )
        // The INSERT above was executed.
        #expect(try await connection.query("SELECT count(*) FROM \(table)").only()[0, as: Int.self] == 10_003)
        #expect(!connection.isClosed)
        await connection.close()
    }

    @Test("a COPY that moves more than the buffers hold waits for the server")
    func largeCopy() async throws {
        let connection = try await connect()
        try await connection.execute("CREATE TEMP TABLE large (a text)")
        let line = Array((String(repeating: "x", count: 9_999) + "\n").utf8)
        let copied = try await connection.withCopyIn("COPY large FROM STDIN") { copy in
            for _ in 0..<3_000 { try await copy.write(line) }
        }
        #expect(copied == 3_000)
        await connection.close()
    }

    @Test("notifications reach a detached connection, with statements in between, and cancellation ends the wait")
    func notifications() async throws {
        let pool = try ConnectionPool(strategy: sharedStrategy(), configuration: .init(maxSize: 2))
        let channel = "Channel \"\(uniqueName())\"\u{301}"
        let listener = try await pool.acquire().detach()
        let processID = listener.processID
        let (ready, received) = (Counter(), Counter())
        let transferred = Transferred(connection: listener)
        let task = Task {
            try await transferred.connection.withNotifications(from: channel) { notifications in
                ready.add()
                for try await notification in notifications {
                    #expect(notification.channel == channel)
                    #expect(notification.payload == "number \(received.value)")
                    #expect(notification.processID != processID)
                    #expect(try await notifications.connection.query("SELECT 1").count == 1)
                    received.add()
                }
            }
        }
        #expect(try await eventually { ready.value == 1 })
        for number in 0..<20 {
            _ = try await pool.withConnection {
                try await $0.execute("SELECT pg_notify($1, $2)", channel, "number \(number)")
            }
        }
        #expect(try await eventually { received.value == 20 })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(
            try await transferred.connection.query("SELECT count(*) FROM pg_listening_channels()").only()[
                0,
                as: Int.self
            ] == 0
        )
        await transferred.connection.close()
        await pool.shutdown()
    }

    @Test("a connection that is lost while it listens ends the notifications with an error")
    func lostWhileListening() async throws {
        let connection = try await connect()
        let processID = connection.processID
        let transferred = Transferred(connection: connection)
        let ready = Counter()
        let task = Task {
            try await transferred.connection.withNotifications(from: "a", "b") { notifications in
                ready.add()
                for try await _ in notifications {}
            }
        }
        #expect(try await eventually { ready.value == 1 })
        try sharedServer.execute("SELECT pg_terminate_backend(\(processID))")
        #expect(await postgresError { try await task.value }?.code == .connectionClosed)
        await transferred.connection.close()
    }
}
