// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres
import BurstPoolPostgresServer
import Testing

@Suite("Failures of the server", .timeLimit(.minutes(5)))
struct FailureTests {
    @Test("a session that is terminated while idle is noticed without a statement")
    func terminatedWhileIdle() async throws {
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        #expect(!strategy.connectionIsClosed(connection))
        try sharedServer.execute("SELECT pg_terminate_backend(\(connection.processID))")
        #expect(try await eventually { strategy.connectionIsClosed(connection) })
        // The reason is known to the next statement, which the server's farewell preceded.
        let error = await postgresError { try await connection.query("SELECT 1") }
        #expect(error?.code == .connectionClosed)
        #expect(error?.sqlState == "57P01")
        #expect(strategy.connectionVerdict(after: try #require(error)) == .evictAll)
        await connection.close()
    }

    @Test("the pool is told once when the server closes an idle connection, and not when the pool closes one")
    func notifiedWhenClosed() async throws {
        let strategy = try sharedStrategy()
        let (lost, closed) = (Counter(), Counter())
        let connection = try await strategy.makeConnection()
        strategy.notifyWhenClosed(connection) { lost.add() }
        let other = try await strategy.makeConnection()
        strategy.notifyWhenClosed(other) { closed.add() }
        try sharedServer.execute("SELECT pg_terminate_backend(\(connection.processID))")
        #expect(try await eventually { lost.value == 1 })
        // A closure that comes too late is called as well.
        strategy.notifyWhenClosed(connection) { lost.add() }
        #expect(lost.value == 2)
        await connection.close()
        await other.close()
        #expect(lost.value == 2)
        #expect(closed.value == 0)
    }

    @Test("a connection whose credentials expire tells the pool how long it lives")
    func lifetime() async throws {
        for (ends, isLimited) in [(true, true), (false, false)] {
            let strategy = try sharedStrategy {
                $0.credentials = {
                    PostgresCredentials(
                        password: PostgresServer.password,
                        validFor: .seconds(600),
                        endConnections: ends
                    )
                }
            }
            let connection = try await strategy.makeConnection()
            let lifetime = strategy.connectionLifetime(connection)
            #expect((lifetime != nil) == isLimited)
            if let lifetime { #expect(lifetime > .seconds(500) && lifetime <= .seconds(600)) }
            await connection.close()
        }
    }

    @Test("a session that is terminated in a statement has the server's error, which says what it means for the pool")
    func terminatedInStatement() async throws {
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        let (transferred, processID) = (Transferred(connection: connection), connection.processID)
        let task = Task { try await transferred.connection.query("SELECT pg_sleep(600)") }
        let state = "SELECT count(*) FROM pg_stat_activity WHERE pid = \(processID) AND wait_event = 'PgSleep'"
        #expect(try await eventually { try sharedServer.execute(state) == "1" })
        try sharedServer.execute("SELECT pg_terminate_backend(\(processID))")
        let error = try #require(await postgresError { _ = try await task.value })
        #expect(error.sqlState == "57P01")
        #expect(strategy.connectionVerdict(after: error) == .evictAll)
        #expect(strategy.connectionIsClosed(transferred.connection))
        await transferred.connection.close()
    }

    @Test("a unique violation and a CancellationError leave the connection in the pool")
    func harmlessErrors() async throws {
        let strategy = try sharedStrategy()
        let pool = try ConnectionPool(strategy: strategy, configuration: .init(maxSize: 1))
        func processID() async throws -> Int32 { try await pool.withConnection { $0.processID } }
        let first = try await processID()
        let error = await postgresError { _ = try await pool.withConnection { try await $0.query("SELECT 1/0") } }
        #expect(error?.sqlState == "22012")
        #expect(strategy.connectionVerdict(after: try #require(error)) == .keep)
        #expect(strategy.connectionVerdict(after: CancellationError()) == .keep)
        let readOnly = await postgresError {
            _ = try await pool.withConnection {
                try await $0.withTransaction(readOnly: true) { try await $0.execute("CREATE TABLE refused (a int)") }
            }
        }
        #expect(readOnly?.sqlState == "25006")
        #expect(strategy.connectionVerdict(after: try #require(readOnly)) == .keep)
        #expect(try await processID() == first)
        await pool.shutdown()
    }

    @Test("a transaction that is left open costs the connection")
    func openTransaction() async throws {
        let pool = try ConnectionPool(strategy: sharedStrategy(), configuration: .init(maxSize: 1))
        let first = try await pool.withConnection { connection in
            try await connection.executeScript("BEGIN")
            return connection.processID
        }
        let second = try await pool.withConnection { connection in
            // Within a transaction this would be a savepoint, for which options are an error.
            try await connection.withTransaction(readOnly: true) { _ in }
            return connection.processID
        }
        #expect(first != second)
        await pool.shutdown()
    }

    @Test("aborting a connection makes its statement fail at once")
    func abort() async throws {
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        let abort = try #require(strategy.abortHandle(for: connection))
        let transferred = Transferred(connection: connection)
        let task = Task { try await transferred.connection.query("SELECT pg_sleep(600)") }
        try await Task.sleep(for: .milliseconds(50))
        abort()
        #expect(await postgresError { _ = try await task.value }?.code == .connectionClosed)
        await transferred.connection.close()
        // The descriptor may belong to another file now.
        abort()
        let next = try await strategy.makeConnection()
        abort()
        #expect(try await next.query("SELECT 1").count == 1)
        await next.close()
    }

    @Test("the server ends the session of a connection that is aborted while it sends rows", arguments: [true, false])
    func abortWhileSending(isAborted: Bool) async throws {
        let (server, strategy) = (try sharedServer, try sharedStrategy())
        let connection = try await strategy.makeConnection()
        let abort = try #require(strategy.abortHandle(for: connection))
        let session = "FROM pg_stat_activity WHERE pid = \(connection.processID)"
        let transferred = Transferred(connection: connection)
        let error = await postgresError {
            try await connection.withRows(of: "SELECT repeat('x', 1000) FROM generate_series(1, 100000)") { rows in
                var iterator = rows.makeAsyncIterator()
                _ = try await iterator.next()
                let waits = try await eventually {
                    try await blocking { try server.execute("SELECT wait_event \(session)") } == "ClientWrite"
                }
                #expect(waits)
                // From now on the server asks only every second or more seldom whether there is room.
                try await Task.sleep(for: .milliseconds(1500))
                if isAborted { abort() } else { await transferred.connection.close() }
                // The rows that have arrived make room for more, of which the server must not be told.
                while try await iterator.next() != nil {}
            }
        }
        #expect(error?.code == .connectionClosed)
        await connection.close()
        let end = ContinuousClock.now
        #expect(
            try await eventually {
                try await blocking { try server.execute("SELECT count(*) \(session)") } == "0"
            }
        )
        #expect(ContinuousClock.now - end < .seconds(30))
    }

    @Test("a connection that is closed while it is in use fails, and nothing of it is used afterwards")
    func closedInUse() async throws {
        for _ in 0..<3 {
            let connection = try await connect()
            let transferred = Transferred(connection: connection)
            let rows = await postgresError {
                try await connection.withRows(of: "SELECT n, repeat('x', 1000) FROM generate_series(1, 100000) n") {
                    rows in
                    var count = 0
                    for try await _ in rows {
                        count += 1
                        if count == 10 { await transferred.connection.close() }
                    }
                }
            }
            #expect(rows?.code == .connectionClosed)
            #expect(connection.isClosed)
            await connection.close()

            let other = try await connect()
            let transaction = await postgresError {
                try await other.withTransaction { transaction in
                    await transaction.close()
                    try await transaction.query("SELECT 1")
                }
            }
            #expect(transaction?.code == .connectionClosed)
            #expect(await postgresError { try await other.withTransaction { _ in } }?.code == .connectionClosed)
            #expect(
                await postgresError { try await other.pipeline([PostgresStatement("SELECT 1")]) }?.code
                    == .connectionClosed
            )
            let strategy = try sharedStrategy()
            #expect(strategy.connectionIsClosed(other))
            var closed = other
            #expect(await postgresError { try await strategy.resetConnection(&closed) }?.code == .connectionClosed)

            let listener = try await connect()
            let notifications = await postgresError {
                try await listener.withNotifications(from: "x") { notifications in
                    await notifications.connection.close()
                    for try await _ in notifications {}
                }
            }
            #expect(notifications?.code == .connectionClosed)
        }
    }

    @Test("the pool's counts are those of pg_stat_activity, and after a shutdown no session remains")
    func counts() async throws {
        let name = uniqueName()
        let strategy = try sharedStrategy { $0.applicationName = name }
        let pool = try ConnectionPool(strategy: strategy, configuration: .init(maxSize: 4, burstLimit: 8))
        let server = try sharedServer
        func sessions() throws -> Int {
            Int(try server.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = '\(name)'")) ?? -1
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { _ = try? await pool.withConnection { try await $0.query("SELECT pg_sleep(600)") } }
            }
            #expect(try await eventually { pool.statistics.total == 8 && pool.statistics.inUse == 8 })
            #expect(try sessions() == 8)
            group.cancelAll()
            try await group.waitForAll()
        }
        // The pool waits for up to a second for the end of a session, which can take longer on a busy machine.
        #expect(try await eventually { pool.statistics.total == 4 })
        #expect(try await eventually { try sessions() == 4 })
        await pool.shutdown()
        #expect(pool.statistics.total == 0)
        #expect(try await eventually { try sessions() == 0 })
    }

    @Test("a pool drops an idle connection whose session is terminated, and no caller sees an error")
    func terminatedIdleInPool() async throws {
        let pool = try ConnectionPool(strategy: sharedStrategy(), configuration: .init(maxSize: 1))
        let first = try await pool.withConnection { $0.processID }
        #expect(pool.statistics.idle == 1)
        try sharedServer.execute("SELECT pg_terminate_backend(\(first))")
        #expect(try await eventually { pool.statistics.total == 0 })
        let second = try await pool.withConnection { connection in
            try await connection.query("SELECT 1")
            return connection.processID
        }
        #expect(first != second)
        await pool.shutdown()
    }

    @Test("a failover under load loses no confirmed write, and every caller goes on at the new primary")
    func failoverUnderLoad() async throws {
        let primary = try await blocking { try PostgresServer() }
        defer { primary.stop() }
        try primary.execute("CREATE TABLE writes (id bigint PRIMARY KEY)")
        let standby = try await blocking { try PostgresServer(standbyOf: primary) }
        defer { standby.stop() }
        let strategy = try strategy(for: primary) {
            $0.parameters["host"] = "127.0.0.1,127.0.0.1"
            $0.parameters["port"] = "\(primary.port),\(standby.port)"
            $0.parameters["target_session_attrs"] = "read-write"
        }
        var configuration = ConnectionPoolConfiguration.recommended(maxSize: 4)
        configuration.acquireTimeout = .seconds(60)
        let pool = try ConnectionPool(strategy: strategy, configuration: configuration)

        let (confirmed, callersAfterwards) = (NumberSet(), NumberSet())
        let (isPromoted, isOver) = (Counter(), Counter())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<8 {
                group.addTask {
                    var number = caller
                    while isOver.value == 0 {
                        let id = number
                        number += 8
                        let wasPromoted = isPromoted.value == 1
                        let count = try? await pool.withConnection { connection in
                            try await connection.execute("INSERT INTO writes VALUES ($1)", id)
                        }
                        if count == 1 {
                            confirmed.insert(id)
                            if wasPromoted { callersAfterwards.insert(caller) }
                        } else {
                            try await Task.sleep(for: .milliseconds(5))
                        }
                    }
                }
            }
            #expect(try await eventually { confirmed.all.count >= 200 })
            // A server that is shut down sends its standbys all that it has confirmed.
            try await blocking { primary.shutDownFast() }
            try await blocking { _ = try standby.execute("SELECT pg_promote()") }
            isPromoted.add()
            #expect(try await eventually { callersAfterwards.all.count == 8 })
            isOver.add()
            try await group.waitForAll()
        }
        let written = Set(try standby.execute("SELECT id FROM writes").split(separator: "\n").compactMap { Int($0) })
        #expect(confirmed.all.isSubset(of: written))
        #expect(pool.statistics.inUse == 0)
        await pool.shutdown()
    }

    @Test("a connection over which something else than the protocol arrives is closed, and no statement gets the rest")
    func spoiledReply() async throws {
        let relay = try Relay(to: try sharedServer.port)
        defer { relay.stop() }
        let connection = try await connect { $0.parameters["port"] = "\(relay.port)" }
        let sql = "SELECT $1::int FROM generate_series(1, 3)"
        #expect(try await connection.query(sql, 1).count == 3)
        // Of the first row, after the five bytes that confirm the parameters.
        relay.changeNextReply { $0[5] = UInt8(ascii: "!") }
        #expect(await postgresError { try await connection.query(sql, 2) }?.code == .connectionClosed)
        #expect(connection.isClosed)
        #expect(await postgresError { try await connection.query(sql, 3) }?.code == .connectionClosed)
        await connection.close()
    }

    @Test("a connection that is lost does not disturb another one that has the same file descriptor afterwards")
    func descriptors() async throws {
        let (server, strategy) = (try sharedServer, try sharedStrategy())
        for isAborted in [false, true] {
            let lost = try await connect()
            let abort = strategy.abortHandle(for: lost)
            let id = lost.processID
            try await blocking { _ = try server.execute("SELECT pg_terminate_backend(\(id))") }
            // libpq closes its descriptor when it has read the end of the connection.
            let isNoticed = try await eventually {
                do {
                    try await lost.query("SELECT 1")
                    return false
                } catch let error as PostgresError {
                    return error.code == .connectionClosed
                }
            }
            #expect(isNoticed)
            let other = try await connect { $0.queryTimeout = .seconds(10) }
            if isAborted { abort?() }
            await lost.close()
            #expect(try await other.query("SELECT 1 FROM pg_sleep(0.01)").count == 1)
            await other.close()
        }
    }

    @Test("a sequence whose connection is lost has that error, and not a cancellation that did not happen")
    func lostSequences() async throws {
        func lose(_ use: (PostgresConnection, Relay) async throws -> Void) async throws {
            let relay = try Relay(to: try sharedServer.port)
            let connection = try await connect { $0.parameters["port"] = "\(relay.port)" }
            #expect(await postgresError { try await use(connection, relay) }?.code == .connectionClosed)
            #expect(connection.isClosed)
            await connection.close()
        }
        try await lose { connection, relay in
            try await connection.withRows(of: "SELECT generate_series(1, 1000000)") { rows in
                // The rows that have arrived can be read, and the ones that have not are lost.
                var iterator = rows.makeAsyncIterator()
                _ = try await iterator.next()
                relay.stop()
                while try await iterator.next() != nil {}
            }
        }
        try await lose { connection, relay in
            try await connection.withCopyOut("COPY (SELECT generate_series(1, 1000000)) TO STDOUT") { lines in
                var iterator = lines.makeAsyncIterator()
                _ = try await iterator.next()
                relay.stop()
                while try await iterator.next() != nil {}
            }
        }
        try await lose { connection, relay in
            let sql = "SELECT generate_series(1, 3)"
            try await connection.withRows(of: sql) { rows in for try await _ in rows {} }
            relay.changeNextReply { $0[5] = UInt8(ascii: "!") }
            try await connection.withRows(of: sql) { rows in for try await _ in rows {} }
        }
    }

    @Test("a server that is stopped and started again, or killed, is used again without help")
    func restart() async throws {
        let server = try await blocking { try PostgresServer() }
        defer { server.stop() }
        var configuration = ConnectionPoolConfiguration(maxSize: 4)
        configuration.connectRetry = .init()
        let pool = try ConnectionPool(strategy: strategy(for: server), configuration: configuration)
        for stop in [{ server.shutDownFast() }, { server.halt() }] as [@Sendable () -> Void] {
            #expect(try await pool.withConnection { try await $0.query("SELECT 1").count } == 1)
            try await blocking { stop() }
            async let answer = pool.withConnection { try await $0.query("SELECT 2").only()[0, as: Int.self] }
            try await Task.sleep(for: .milliseconds(100))
            try await blocking { try server.start() }
            #expect(try await answer == 2)
        }
        await pool.shutdown()
    }

    @Test("after a failover the pool's connections lead to the new primary")
    func failover() async throws {
        let primary = try await blocking { try PostgresServer() }
        defer { primary.stop() }
        try primary.execute("CREATE TABLE facts (a int)")
        let standby = try await blocking { try PostgresServer(standbyOf: primary) }
        defer { standby.stop() }
        let relay = try Relay(to: standby.port)
        defer { relay.stop() }

        // The address of the service leads to a standby, as it does for a while after a failover.
        let strategy = try strategy(for: primary) { $0.parameters["port"] = "\(relay.port)" }
        let pool = try ConnectionPool(strategy: strategy, configuration: .init(maxSize: 2))
        let insert = "INSERT INTO facts VALUES (1)"
        let readOnly = await postgresError { _ = try await pool.withConnection { try await $0.execute(insert) } }
        #expect(readOnly?.sqlState == "25006")
        #expect(strategy.connectionVerdict(after: try #require(readOnly)) == .evictAll)
        relay.redirect(to: primary.port)
        #expect(try await pool.withConnection { try await $0.execute(insert) } == 1)

        // The primary stops and the standby takes over.
        #expect(try await eventually { try standby.execute("SELECT count(*) FROM facts") == "1" })
        try await blocking { primary.halt() }
        relay.redirect(to: standby.port)
        try standby.execute("SELECT pg_promote()")
        var inserted = 0
        #expect(
            try await eventually {
                inserted = (try? await pool.withConnection { try await $0.execute(insert) }) ?? 0
                return inserted == 1
            }
        )
        #expect(try standby.execute("SELECT count(*) FROM facts") == "2")
        await pool.shutdown()

        // libpq itself finds the primary among several hosts.
        let hosts = try PostgresConnectionStrategy(
            url: """
                postgresql://postgres:\(PostgresServer.password)@127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)/postgres\
                ?target_session_attrs=read-write
                """
        )
        let connection = try await hosts.makeConnection()
        #expect(try await connection.execute(insert) == 1)
        await connection.close()
    }
}
