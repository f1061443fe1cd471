// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis
import BurstPoolRedisServer
import Testing

@Suite("Messages and blocking commands", .timeLimit(.minutes(5)))
struct SubscriptionTests {
    @Test("A subscription on a detached connection receives the messages of its channels and patterns in order")
    func messages() async throws {
        let pool = try ConnectionPool(strategy: sharedStrategy(), maxSize: 1)
        let connection = try await pool.acquire().detach()
        let name = uniqueKey()
        let subscription = try await connection.subscribe(to: [name], patterns: ["\(name).*"])
        // The pool's only slot is free, so the publisher gets a connection.
        try await pool.withConnection { publisher in
            for number in 0..<100 { try await publisher.send("PUBLISH", name, number) }
            try await publisher.send("PUBLISH", "\(name).x", [0, 255] as [UInt8])
        }
        var iterator = subscription.makeAsyncIterator()
        for number in 0..<100 {
            let message = try await iterator.next()
            #expect(message?.channel == name && message?.pattern == nil && message?.string == "\(number)")
        }
        let message = try await iterator.next()
        #expect(message?.channel == "\(name).x" && message?.pattern == "\(name).*" && message?.payload == [0, 255])
        #expect(subscription.droppedMessages == 0)
        subscription.close()
        let error = await redisError { _ = try await iterator.next() }
        #expect(error?.code == .connectionClosed)
        await pool.shutdown()
    }

    @Test("A subscribed connection takes no commands, and a pool does not reuse it")
    func exclusive() async throws {
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        let subscription = try await connection.subscribe(to: [uniqueKey()])
        #expect(await redisError { try await connection.send("PING") }?.code == .invalidCommand)
        #expect(await redisError { _ = try await connection.subscribe(to: ["x"]) }?.code == .invalidCommand)
        #expect(strategy.connectionIsClosed(connection))
        try await strategy.closeConnection(connection)
        let error = await redisError { for try await _ in subscription {} }
        #expect(error?.message.contains("this client closed it") == true)
    }

    @Test("A full buffer drops the oldest messages and counts them")
    func overflow() async throws {
        let (subscriber, publisher) = (try await connect(), try await connect())
        let name = uniqueKey()
        let subscription = try await subscriber.subscribe(to: [name], bufferLimit: 10)
        for number in 0..<50 { try await publisher.send("PUBLISH", name, number) }
        #expect(try await eventually { subscription.droppedMessages == 40 })
        var iterator = subscription.makeAsyncIterator()
        #expect(try await iterator.next()?.string == "40")
        try await publisher.close()
    }

    @Test("A subscription ends when the server closes its connection, after the messages that had arrived")
    func serverCloses() async throws {
        let (subscriber, publisher) = (try await connect(), try await connect())
        let identity = try #require(try await subscriber.send("CLIENT", "ID").integer)
        let name = uniqueKey()
        let subscription = try await subscriber.subscribe(to: [name])
        try await publisher.send("PUBLISH", name, "last")
        try await publisher.send("CLIENT", "KILL", "ID", identity)
        var received: [String?] = []
        let error = await redisError { for try await message in subscription { received.append(message.string) } }
        #expect(received == ["last"])
        #expect(error?.code == .connectionClosed)
        try await publisher.close()
    }

    @Test("Cancelling the iterating task ends its wait, and releasing the subscription closes the connection")
    func cancellation() async throws {
        let name = "subscriber-\(UInt32.random(in: 0 ... .max))"
        let observer = try await connect()
        let task = Task {
            let connection = try await connect { $0.clientName = name }
            for try await _ in try await connection.subscribe(to: [uniqueKey()]) {}
        }
        func isThere() async throws -> Bool {
            try await observer.send("CLIENT", "LIST").string?.contains("name=\(name) ") == true
        }
        #expect(try await eventually { try await isThere() })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await eventually { try await !isThere() })
        try await observer.close()
    }

    @Test("A subscription that the server refuses is an error, and so is one without channels")
    func refused() async throws {
        let user = "user-\(UInt32.random(in: 0 ... .max))"
        let admin = try await connect()
        try await admin.send("ACL", "SETUSER", user, "on", ">x", "+subscribe", "resetchannels", "&allowed")
        let strategy = try sharedStrategy {
            $0.username = user
            $0.password = "x"
        }
        let connection = try await strategy.makeConnection()
        let error = await redisError { _ = try await connection.subscribe(to: ["forbidden"]) }
        #expect(error?.serverCode == "NOPERM")
        let other = try await strategy.makeConnection()
        _ = try await other.subscribe(to: ["allowed"])
        let empty = await redisError { _ = try await admin.subscribe() }
        #expect(empty?.code == .invalidCommand)
        try await admin.close()
    }

    @Test("The keep-alive closes the connection to a server that no longer answers, and keeps one that does")
    func keepalive() async throws {
        let silent = try await FakeServer.start { number, channel in
            if number == 0 { channel.send("+PONG\r\n") }
            if number == 1 { channel.send("*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n") }
        }
        let connection = try await RedisConnectionStrategy(configuration: silent.configuration).makeConnection()
        let subscription = try await connection.subscribe(to: ["x"], keepaliveInterval: .milliseconds(100))
        let error = await redisError { for try await _ in subscription {} }
        #expect(error?.message.contains("has not answered") == true)
        try await silent.stop()

        let (subscriber, publisher) = (try await connect(), try await connect())
        let name = uniqueKey()
        let lively = try await subscriber.subscribe(to: [name], keepaliveInterval: .seconds(1))
        try await Task.sleep(for: .seconds(3.5))
        try await publisher.send("PUBLISH", name, "still there")
        var iterator = lively.makeAsyncIterator()
        #expect(try await iterator.next()?.string == "still there")
        try await publisher.close()
    }

    @Test("A blocking command on a detached connection leaves the pool's slot free, and ends when it is cancelled")
    func blockingCommand() async throws {
        let pool = try ConnectionPool(strategy: sharedStrategy(), maxSize: 1)
        let key = uniqueKey()
        let consumer = Task {
            let connection = try await pool.acquire().detach()
            let reply = try await connection.send(RedisCommand("BLPOP", key, 0), timeout: nil)
            try await connection.close()
            return reply.array?.last?.string
        }
        #expect(
            try await eventually {
                try await pool.withConnection { try await $0.send("CLIENT", "LIST").string }?.contains("cmd=blpop")
                    == true
            }
        )
        try await pool.withConnection { _ = try await $0.send("RPUSH", key, "job") }
        #expect(try await consumer.value == "job")

        let cancelled = Task {
            let connection = try await pool.acquire().detach()
            try await connection.send(RedisCommand("BLPOP", key, 0), timeout: nil)
        }
        try await Task.sleep(for: .milliseconds(50))
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        await pool.shutdown()
    }
}
