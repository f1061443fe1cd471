// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization
import Testing

/// A shared pool of real HTTP/2 connections, to a server that changes its limits and goes away.
@Suite("HTTP/2", .timeLimit(.minutes(2)))
struct HTTP2PoolTests {
    private typealias Pool = SharedConnectionPool<HTTP2Strategy>

    /// Runs a body with a pool, and checks that the shutdown leaves no connection behind, in the pool and at the server.
    private func withPool<Result: Sendable>(
        of server: HTTP2Server,
        maxSize: Int,
        burstLimit: Int? = nil,
        connectRetry: ConnectionBackoff? = nil,
        _ body: (Pool, HTTP2Client) async throws -> Result
    ) async throws -> Result {
        var configuration = ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
        configuration.connectRetry = connectRetry
        let strategy = HTTP2Strategy(port: server.port)
        let pool = try Pool(strategy: strategy, configuration: configuration)
        do {
            let result = try await body(pool, HTTP2Client(pool: pool, strategy: strategy))
            #expect(await pool.shutdown().isComplete)
            #expect(pool.statistics.total == 0)
            try await eventually("the server has no connection left") { server.openConnections == 0 }
            return result
        } catch {
            await pool.abort()
            throw error
        }
    }

    @Test("The pool opens as many streams as the server allows, on one connection, and callers beyond that wait")
    func initialLimit() async throws {
        try await HTTP2Server.with(limit: 3, holds: true) { server in
            try await withPool(of: server, maxSize: 1) { pool, client in
                let requests = client.startAsking(5)
                try await eventually("three requests run") { server.held == 3 && pool.statistics.waiting == 2 }
                #expect(pool.statistics.leasesInUse == 3)
                #expect(pool.statistics.inUse == 1)
                server.answer(2)
                try await eventually("the others follow") { server.held == 3 && pool.statistics.waiting == 0 }
                server.answer(3)
                try await requests.value
                #expect(client.sentAgain == 0)
                #expect(server.connections.count == 1)
            }
        }
    }

    @Test("When the server raises its limit, callers that wait get the new streams at once")
    func raisedLimit() async throws {
        try await HTTP2Server.with(limit: 2, holds: true) { server in
            try await withPool(of: server, maxSize: 1) { pool, client in
                let requests = client.startAsking(6)
                try await eventually("two requests run") { server.held == 2 && pool.statistics.waiting == 4 }
                server.connections[0].changeLimit(to: 5)
                try await eventually("five requests run") { server.held == 5 && pool.statistics.waiting == 1 }
                server.answer(1)
                try await eventually("the last request runs") { server.held == 5 && pool.statistics.waiting == 0 }
                server.answer(5)
                try await requests.value
                #expect(server.connections.count == 1)
            }
        }
    }

    @Test("When the server lowers its limit, requests that run continue, and the next ones wait until there is room")
    func loweredLimit() async throws {
        try await HTTP2Server.with(limit: 4, holds: true) { server in
            try await withPool(of: server, maxSize: 1) { pool, client in
                let requests = client.startAsking(6)
                try await eventually("four requests run") { server.held == 4 && pool.statistics.waiting == 2 }
                server.connections[0].changeLimit(to: 1)
                try await eventually("the pool knows the limit") { client.limits == [1] }
                server.answer(3)
                try await eventually("three requests have ended") { client.answered == 3 }
                #expect(server.held == 1)
                #expect(pool.statistics.leasesInUse == 1)
                #expect(pool.statistics.waiting == 2)
                server.answer(1)
                try await eventually("the fifth request runs") { server.held == 1 && client.answered == 4 }
                #expect(pool.statistics.waiting == 1)
                server.answer(1)
                try await eventually("the sixth request runs") { server.held == 1 && client.answered == 5 }
                server.answer(1)
                try await requests.value
                #expect(server.connections.count == 1)
            }
        }
    }

    @Test(
        "After GOAWAY, running requests end on their connection, new ones use another, and the pool closes the first one"
    )
    func goAway() async throws {
        try await HTTP2Server.with(limit: 3, holds: true) { server in
            try await withPool(of: server, maxSize: 1, burstLimit: 2) { pool, client in
                let first = client.startAsking(2)
                try await eventually("two requests run") { server.held == 2 }
                server.connections[0].goAway()
                try await eventually("the pool knows that the server goes away") { client.limits == [0] }
                // A stream is free on the first connection, but it must not be used.
                let second = client.startAsking(2)
                try await eventually("new requests use another connection") { server.held == 4 }
                #expect(server.connections.count == 2)
                #expect(pool.statistics.inUse == 2)
                #expect(server.connections[0].isOpen)
                server.answer(1)
                try await eventually("one request has ended") { client.answered == 1 }
                #expect(server.connections[0].isOpen)
                server.answer(1)
                try await first.value
                try await eventually("the first connection is closed") { !server.connections[0].isOpen }
                #expect(server.connections[1].isOpen)
                server.answer(2)
                try await second.value
                #expect(client.sentAgain == 0)
                #expect(pool.statistics.total == 1)
            }
        }
    }

    @Test(
        "Callers that wait at the hard limit when the server goes away are served by the connection that replaces the first"
    )
    func goAwayWithWaiters() async throws {
        try await HTTP2Server.with(limit: 2, holds: true) { server in
            try await withPool(of: server, maxSize: 1) { pool, client in
                let requests = client.startAsking(4)
                try await eventually("two requests wait") { server.held == 2 && pool.statistics.waiting == 2 }
                server.connections[0].goAway()
                try await eventually("the pool knows that the server goes away") { client.limits == [0] }
                server.answer(1)
                try await eventually("one request has ended") { client.answered == 1 }
                // Its stream is not used again, and a connection that drains still counts.
                #expect(pool.statistics.waiting == 2)
                #expect(server.connections.count == 1)
                server.answer(1)
                try await eventually("the others run on a new connection") { server.held == 2 }
                #expect(server.connections.count == 2)
                #expect(client.mostConnections == 1)
                server.answer(2)
                try await requests.value
                #expect(client.sentAgain == 0)
            }
        }
    }

    @Test("A connection without requests is closed when the server goes away")
    func goAwayWhileIdle() async throws {
        try await HTTP2Server.with(limit: 2) { server in
            try await withPool(of: server, maxSize: 1) { pool, client in
                try await client.ask("/1")
                server.connections[0].goAway()
                try await eventually("the connection is closed") { server.openConnections == 0 }
                try await eventually("the pool has none") { pool.statistics.total == 0 }
                try await client.ask("/2")
                #expect(server.connections.count == 2)
                #expect(client.sentAgain == 0)
            }
        }
    }

    @Test("A request that the server refuses as it goes away is answered on another connection, once")
    func refused() async throws {
        try await HTTP2Server.with(limit: 3, holds: true) { server in
            try await withPool(of: server, maxSize: 1, burstLimit: 2) { pool, client in
                let requests = client.startAsking(3)
                try await eventually("three requests run") { server.held == 3 }
                server.connections[0].goAway(answeringOnly: 1)
                try await eventually("two requests are sent again") { client.sentAgain == 2 && server.held == 3 }
                #expect(server.connections.count == 2)
                server.answer(3)
                try await requests.value
                #expect(server.answers.values.sorted() == [1, 1, 1])
            }
        }
    }

    @Test("A server that allows no stream at first is an error of the attempt to open a connection")
    func noStreams() async throws {
        try await HTTP2Server.with(limit: 0) { server in
            try await withPool(of: server, maxSize: 1) { pool, client in
                let error = await #expect(throws: ConnectionPoolError.self) { try await client.ask("/1") }
                #expect(error?.code == .noLeases)
            }
        }
    }

    @Test(
        "No request fails, is lost or is answered twice, while the server changes its limits and goes away all the time"
    )
    func load() async throws {
        let tasks = 64
        let requestsPerTask = 50
        try await HTTP2Server.with(limit: 8) { server in
            // A server that goes away before the pool can use a connection has made the attempt fail, so that it is repeated.
            let retry = ConnectionBackoff(base: .milliseconds(1), cap: .milliseconds(10))
            try await withPool(of: server, maxSize: 3, burstLimit: 6, connectRetry: retry) { pool, client in
                let disturbance = Task {
                    var random = SystemRandomNumberGenerator()
                    while !Task.isCancelled {
                        for connection in server.connections.suffix(6) where connection.isOpen {
                            switch Int.random(in: 0..<10, using: &random) {
                            case 0: connection.goAway()
                            case 1...6: connection.changeLimit(to: .random(in: 1...8, using: &random))
                            default: break
                            }
                        }
                        try await Task.sleep(for: .milliseconds(2))
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<tasks {
                        group.addTask {
                            for request in 0..<requestsPerTask { try await client.ask("/\(task)/\(request)") }
                        }
                    }
                    try await group.waitForAll()
                }
                disturbance.cancel()
                let answers = server.answers
                #expect(answers.count == tasks * requestsPerTask)
                #expect(answers.values.allSatisfy { $0 == 1 })
                #expect(server.connections.count > 6, "the server has gone away again and again")
                #expect(client.mostConnections <= 6)
                #expect(client.mostAboveLimit <= 0)
                #expect(pool.statistics.waiting == 0)
                #expect(pool.statistics.leasesInUse == 0)
            }
        }
    }
}

/// Sends requests through a pool. A request that the server has not processed is sent again, as every client of HTTP/2 does that
/// survives `GOAWAY`: between the lease and the request, the server may have asked to close the connection.
final class HTTP2Client: Sendable {
    private struct State {
        var answered = 0
        var sentAgain = 0
        var connections: [ObjectIdentifier: HTTP2Connection] = [:]
    }

    private let pool: SharedConnectionPool<HTTP2Strategy>
    private let strategy: HTTP2Strategy
    private let state = Mutex(State())

    init(pool: SharedConnectionPool<HTTP2Strategy>, strategy: HTTP2Strategy) {
        self.pool = pool
        self.strategy = strategy
    }

    /// The most connections that existed at the same time, including those that were opening or closing.
    var mostConnections: Int { strategy.mostConnections }

    /// The number of requests that were answered.
    var answered: Int { state.withLock { $0.answered } }

    /// How often a request was sent again.
    var sentAgain: Int { state.withLock { $0.sentAgain } }

    /// The present limits of all connections that were used.
    var limits: [Int] { state.withLock { $0.connections.values.map(\.streamLimit) } }

    /// How many more requests ran on a connection at the same time than the server has ever allowed; negative if there were fewer.
    var mostAboveLimit: Int { state.withLock { $0.connections.values.map(\.mostAboveLimit).max() ?? 0 } }

    func ask(_ path: String) async throws {
        while true {
            do {
                let answer = try await pool.withConnection { connection in
                    state.withLock { $0.connections[ObjectIdentifier(connection)] = connection }
                    return try await connection.get(path)
                }
                #expect(answer == path)
                return state.withLock { $0.answered += 1 }
            } catch is RequestNotProcessed {
                state.withLock { $0.sentAgain += 1 }
            }
        }
    }

    /// Starts requests at the same time. The task ends when all have been answered.
    func startAsking(_ count: Int) -> Task<Void, any Error> {
        Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<count { group.addTask { try await self.ask("/\(UInt32.random(in: 0 ... .max))") } }
                try await group.waitForAll()
            }
        }
    }
}

/// Waits until a condition holds that other tasks bring about. Fails after 20 seconds instead of hanging.
private func eventually(
    _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while !condition() {
        if ContinuousClock.now > deadline {
            Issue.record("this never happened: \(what)", sourceLocation: sourceLocation)
            throw NeverHappened()
        }
        try await Task.sleep(for: .milliseconds(1))
    }
}

private struct NeverHappened: Error {}
