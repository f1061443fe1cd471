// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

/// A pool that is created with closures in place of a strategy.
@Suite(.timeLimit(.minutes(5)))
struct ClosureStrategyTests {
    @Test("A pool made of closures opens, checks and closes its connections with them")
    func threeClosures() async throws {
        let (opened, closed) = (Shared(0), Shared(0))
        let pool = try ConnectionPool(
            maxSize: 1,
            burstLimit: 2,
            open: { TestConnection(Remote(id: opened.countUp())) },
            isClosed: { $0.remote.isClosed },
            close: { connection in
                #expect(connection.remote.dispose() == 0)
                closed.countUp()
            }
        )
        try await pool.withConnection { outer in
            outer.use()
            try await pool.withConnection { inner in
                #expect(inner.id != outer.id)
            }
            // The connection above maxSize was closed when it was released.
            #expect(closed.value == 1)
        }
        let first = try await pool.withConnection { connection in
            connection.remote.hangUp()
            return connection.id
        }
        let second = try await pool.withConnection { $0.id }
        #expect(first != second)
        #expect(opened.value == 3)
        await pool.shutdown()
        #expect(closed.value == 3)
    }

    @Test("An error of the closure that opens reaches the caller, and one of the closure that closes too")
    func errors() async throws {
        let unreachable = try ConnectionPool(
            maxSize: 1,
            open: { () -> TestConnection in throw TestError("open") },
            isClosed: { _ in false },
            close: { _ in }
        )
        await #expect(throws: TestError("open")) { try await unreachable.withConnection { _ in } }
        #expect(unreachable.statistics.total == 0)

        let pool = try ConnectionPool(
            maxSize: 1,
            burstLimit: 2,
            open: { TestConnection(Remote(id: 0)) },
            isClosed: { _ in false },
            close: { _ in throw TestError("close") }
        )
        await #expect(throws: TestError("close")) {
            try await pool.withConnection { _ in try await pool.withConnection { _ in } }
        }
    }

    @Test("Impossible limits are an error")
    func limits() {
        let error = #expect(throws: ConnectionPoolError.self) {
            try ConnectionPool(
                maxSize: 4,
                burstLimit: 2,
                open: { TestConnection(Remote(id: 0)) },
                isClosed: { _ in false },
                close: { _ in }
            )
        }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("The closures that validate, reset and judge are called where the configuration asks for it")
    func optionalClosures() async throws {
        let (opened, validated, reset) = (Shared(0), Shared(0), Shared(0))
        var configuration = ConnectionPoolConfiguration(maxSize: 1)
        configuration.resetsConnections = true
        let pool = try ConnectionPool(
            configuration: configuration,
            open: { TestConnection(Remote(id: opened.countUp())) },
            isClosed: { $0.remote.isClosed },
            close: { _ in },
            validate: { connection in
                connection.use()
                validated.countUp()
                return true
            },
            reset: { connection in
                connection.uses = 0
                reset.countUp()
            },
            verdict: { $0 is TestError ? .discard : .keep }
        )
        try await pool.waitUntilHealthy(timeout: .seconds(60))
        #expect(validated.value == 1)
        try await pool.withConnection { $0.use() }
        #expect(try await pool.withConnection { $0.uses } == 0)
        #expect(reset.value >= 1)

        struct Harmless: Error {}
        await #expect(throws: Harmless.self) { try await pool.withConnection { _ in throw Harmless() } }
        #expect(try await pool.withConnection { $0.id } == 0)
        await #expect(throws: TestError.self) { try await pool.withConnection { _ in throw TestError("broken") } }
        #expect(try await pool.withConnection { $0.id } == 1)
        await pool.shutdown()
    }

    @Test("Without the optional closures every connection is valid, is kept after an error, and needs no reset")
    func defaults() async throws {
        let opened = Shared(0)
        var configuration = ConnectionPoolConfiguration(maxSize: 1)
        configuration.resetsConnections = true
        let pool = try ConnectionPool(
            configuration: configuration,
            open: { TestConnection(Remote(id: opened.countUp())) },
            isClosed: { $0.remote.isClosed },
            close: { _ in }
        )
        try await pool.waitUntilHealthy(timeout: .seconds(60))
        await #expect(throws: TestError.self) { try await pool.withConnection { _ in throw TestError("body") } }
        try await pool.withConnection { $0.use() }
        #expect(opened.value == 1)
        await pool.shutdown()
    }
}
