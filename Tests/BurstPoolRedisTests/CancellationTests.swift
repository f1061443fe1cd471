// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import Testing

// 2,000 commands in sequence take minutes on a busy machine.
@Suite("Cancelled commands", .timeLimit(.minutes(5)))
struct CancellationTests {
    @Test("A task that is already cancelled does not send its command, and the connection stays open")
    func before() async throws {
        let connection = try await connect()
        let key = uniqueKey()
        let shared = UncheckedConnection(connection: connection)
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await #expect(throws: CancellationError.self) { try await shared.connection.send("SET", key, 1) }
        }.value
        #expect(!connection.isClosed)
        #expect(try await connection.send("GET", key).isNull)
        try await connection.close()
    }

    @Test("Cancelling a command that waits for its reply ends it at once and closes the connection")
    func during() async throws {
        let strategy = try sharedStrategy()
        let (connection, observer) = (try await strategy.makeConnection(), try await strategy.makeConnection())
        let key = uniqueKey()
        let identity = try #require(try await connection.send("CLIENT", "ID").integer)
        let shared = UncheckedConnection(connection: connection)
        let task = Task { try await shared.connection.send("BLPOP", key, 0) }
        #expect(
            try await eventually {
                try await observer.send("CLIENT", "LIST", "ID", identity).string?.contains("cmd=blpop") == true
            }
        )
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // The connection is closed before the caller learns of the cancellation, so no pool hands it out.
        #expect(strategy.connectionIsClosed(connection))
        let error = await redisError { try await connection.send("PING") }
        #expect(error?.code == .connectionClosed)
        #expect(error?.message.contains("A command was cancelled") == true)
        #expect(
            try await eventually { try await observer.send("CLIENT", "LIST", "ID", identity).string?.isEmpty == true }
        )
        try await strategy.closeConnection(connection)
        try await strategy.closeConnection(observer)
    }

    @Test("Cancelling a task after the reply has no effect")
    func after() async throws {
        let connection = try await connect()
        let shared = UncheckedConnection(connection: connection)
        let task = Task { try await shared.connection.send("ECHO", "first").string }
        #expect(try await task.value == "first")
        task.cancel()
        #expect(try await connection.send("ECHO", "second").string == "second")
        try await connection.close()
    }

    @Test("No command gets the reply of another when 2,000 commands are cancelled at random moments")
    func atRandomMoments() async throws {
        let strategy = try sharedStrategy()
        var connection = UncheckedConnection(connection: try await strategy.makeConnection())
        var (replies, cancellations, reconnects) = (0, 0, 0)
        var roundTrip = Duration.microseconds(100)

        for number in 0..<2_000 {
            let isPipeline = number.isMultiple(of: 3)
            let shared = connection
            let start = ContinuousClock.now
            let task = Task {
                let replies: [RedisReply]
                if isPipeline {
                    let commands = (0..<5).map { RedisCommand("ECHO", "\(number).\($0)") }
                    replies = try await shared.connection.pipeline(commands)
                } else {
                    replies = [try await shared.connection.send("ECHO", "\(number)")]
                }
                return (texts: replies.map(\.string), duration: ContinuousClock.now - start)
            }
            // The moment lies between the start of the task and some time after the reply.
            let moment = start + roundTrip * Double.random(in: 0...2)
            while ContinuousClock.now < moment { await Task.yield() }
            task.cancel()

            switch await task.result {
            case .success(let outcome):
                replies += 1
                roundTrip = (roundTrip * 9 + min(outcome.duration, roundTrip * 3)) / 10
                #expect(outcome.texts == (isPipeline ? (0..<5).map { "\(number).\($0)" } : ["\(number)"]))
            case .failure(let error):
                cancellations += 1
                #expect(error is CancellationError, "\(error)")
            }

            // This is what a pool does next.
            if strategy.connectionIsClosed(connection.connection) {
                reconnects += 1
                try await strategy.closeConnection(connection.connection)
                connection = UncheckedConnection(connection: try await strategy.makeConnection())
            }
            #expect(try await connection.connection.send("ECHO", "next \(number)").string == "next \(number)")
        }

        // If one of the outcomes had not occurred, the test would have tested nothing.
        #expect(replies > 0)
        #expect(cancellations > reconnects, "no command was cancelled before it was sent")
        #expect(reconnects > 0, "no command was cancelled while it waited for its reply")
        try await strategy.closeConnection(connection.connection)
    }
}
