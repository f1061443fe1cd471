import BurstPoolRedis
import Testing

// Two thousand times one after another takes minutes on a busy machine.
@Suite("Cancelled commands", .timeLimit(.minutes(5)))
struct CancellationTests {
    @Test("a command of a task that is cancelled already is not sent, and the connection goes on")
    func before() async throws {
        let connection = try await connect()
        let key = uniqueKey()
        let lent = Lent(connection: connection)
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await #expect(throws: CancellationError.self) { try await lent.connection.send("SET", key, 1) }
        }.value
        #expect(!connection.isClosed)
        #expect(try await connection.send("GET", key).isNull)
        try await connection.close()
    }

    @Test("a command that is cancelled while it waits for its reply ends at once and closes the connection")
    func during() async throws {
        let strategy = try sharedStrategy()
        let (connection, observer) = (try await strategy.makeConnection(), try await strategy.makeConnection())
        let key = uniqueKey()
        let identity = try #require(try await connection.send("CLIENT", "ID").integer)
        let lent = Lent(connection: connection)
        let task = Task { try await lent.connection.send("BLPOP", key, 0) }
        #expect(
            try await eventually {
                try await observer.send("CLIENT", "LIST", "ID", identity).string?.contains("cmd=blpop") == true
            }
        )
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // Closed by the time the caller knows, so that no pool hands it out.
        #expect(strategy.connectionIsClosed(connection))
        let error = await redisError { try await connection.send("PING") }
        #expect(error?.code == .connectionClosed)
        #expect(error?.message.contains("a command was cancelled") == true)
        #expect(
            try await eventually { try await observer.send("CLIENT", "LIST", "ID", identity).string?.isEmpty == true }
        )
        try await strategy.closeConnection(connection)
        try await strategy.closeConnection(observer)
    }

    @Test("cancelling after the reply changes nothing")
    func after() async throws {
        let connection = try await connect()
        let lent = Lent(connection: connection)
        let task = Task { try await lent.connection.send("ECHO", "first").string }
        #expect(try await task.value == "first")
        task.cancel()
        #expect(try await connection.send("ECHO", "second").string == "second")
        try await connection.close()
    }

    @Test("cancelled at 2,000 random moments, no command ever gets the reply of another")
    func atRandomMoments() async throws {
        let strategy = try sharedStrategy()
        var connection = Lent(connection: try await strategy.makeConnection())
        var (replies, cancellations, reconnects) = (0, 0, 0)
        var roundTrip = Duration.microseconds(100)

        for number in 0..<2_000 {
            let isPipeline = number.isMultiple(of: 3)
            let lent = connection
            let start = ContinuousClock.now
            let task = Task {
                let replies: [RedisReply]
                if isPipeline {
                    let commands = (0..<5).map { RedisCommand("ECHO", "\(number).\($0)") }
                    replies = try await lent.connection.pipeline(commands)
                } else {
                    replies = [try await lent.connection.send("ECHO", "\(number)")]
                }
                return (texts: replies.map(\.string), duration: ContinuousClock.now - start)
            }
            // From before the task starts to a while after the reply.
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

            // What a pool does next.
            if strategy.connectionIsClosed(connection.connection) {
                reconnects += 1
                try await strategy.closeConnection(connection.connection)
                connection = Lent(connection: try await strategy.makeConnection())
            }
            #expect(try await connection.connection.send("ECHO", "next \(number)").string == "next \(number)")
        }

        // All fates have occurred, or this test has tested nothing.
        #expect(replies > 0)
        #expect(cancellations > reconnects, "cancelled before anything was sent")
        #expect(reconnects > 0, "cancelled under way")
        try await strategy.closeConnection(connection.connection)
    }
}
