// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

/// The move-only lease, which only the public API has.
@Suite(.timeLimit(.minutes(5)))
struct LeaseTests {
    private func withPublicPool(
        maxSize: Int,
        burstLimit: Int? = nil,
        _ body: (ConnectionPool<TestStrategy>, TestStrategy) async throws -> Void
    ) async throws {
        let strategy = TestStrategy()
        let pool = try ConnectionPool(strategy: strategy, maxSize: maxSize, burstLimit: burstLimit)
        try await body(pool, strategy)
        await pool.shutdown()
        expectNothingLeft(strategy, limit: burstLimit ?? maxSize)
    }

    @Test("release() releases the connection immediately")
    func releases() async throws {
        try await withPublicPool(maxSize: 1) { pool, _ in
            let lease = try await pool.acquire()
            #expect(pool.statistics.inUse == 1)
            lease.release()
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test("A lease that goes out of scope releases the connection, also when an error is thrown")
    func endOfScope() async throws {
        try await withPublicPool(maxSize: 1) { pool, strategy in
            do {
                let lease = try await pool.acquire()
                lease.connection.use()
            }
            #expect(pool.statistics.idle == 1)
            await #expect(throws: TestError("scope")) {
                let lease = try await pool.acquire()
                lease.connection.use()
                throw TestError("scope")
            }
            #expect(pool.statistics.idle == 1)
            for _ in 0..<5 { _ = try await pool.acquire() }
            #expect(pool.statistics.idle == 1)
            #expect(strategy.books.opened == 1)
        }
    }

    @Test("A lease can be moved into a function that ends it, and into a value that keeps it")
    func moves() async throws {
        func end(_ lease: consuming ConnectionLease<TestStrategy>) -> Int { lease.connection.id }
        struct Session: ~Copyable {
            var lease: ConnectionLease<TestStrategy>
        }
        try await withPublicPool(maxSize: 1) { pool, _ in
            let lease = try await pool.acquire()
            #expect(end(lease) == 1)
            #expect(pool.statistics.idle == 1)

            do {
                let session = Session(lease: try await pool.acquire())
                #expect(pool.statistics.inUse == 1)
                session.lease.connection.use()
            }
            #expect(pool.statistics.idle == 1)

            var kept: ConnectionLease<TestStrategy>? = pool.tryAcquire()
            #expect(pool.statistics.inUse == 1)
            kept.take()?.release()
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test("Changes through lease.connection are kept")
    func mutates() async throws {
        let pool = try ConnectionPool(strategy: ValueStrategy<Counter> { Counter() }, maxSize: 1)
        do {
            var lease = try await pool.acquire()
            lease.connection.count += 41
            lease.connection.increment()
            #expect(lease.connection.count == 42)
            lease.release()
        }
        #expect(try await pool.withConnection { $0.count } == 42)
        await pool.shutdown()
    }

    @Test("tryAcquire returns a lease of an idle connection, or nil")
    func tryAcquire() async throws {
        try await withPublicPool(maxSize: 1) { pool, _ in
            // A noncopyable optional can only be used in a switch or an `if let`.
            if let lease = pool.tryAcquire() {
                Issue.record("leased \(lease.connection.id), but nothing was idle")
            }
            try await pool.withConnection { $0.use() }
            guard let lease = pool.tryAcquire() else {
                Issue.record("nothing was leased")
                return
            }
            #expect(lease.connection.id == 1)
            if pool.tryAcquire() != nil { Issue.record("leased twice") }
        }
    }

    @Test("An excess connection of a lease is closed in the background")
    func closesExcess() async throws {
        try await withPublicPool(maxSize: 1, burstLimit: 2) { pool, strategy in
            let kept = try await pool.acquire()
            do { _ = try await pool.acquire() }
            try await eventually("the connection is closed") { strategy.books.closed == 1 }
            try await eventually("the pool has shrunk") { pool.statistics.total == 1 }
            kept.release()
        }
    }

    @Test("A lease of a Sendable connection can be passed to another task")
    func crossesTasks() async throws {
        let pool = try ConnectionPool(strategy: ValueStrategy<Int> { 5 }, maxSize: 1)
        let lease = try await pool.acquire()
        let box = Shared(0)
        await finish(lease, box)
        #expect(box.value == 5)
        #expect(pool.statistics.idle == 1)
        await pool.shutdown()
    }

    @concurrent private func finish(_ lease: consuming ConnectionLease<ValueStrategy<Int>>, _ box: Shared<Int>) async {
        box.set(lease.connection)
    }
}

struct Counter: Sendable {
    var count = 0
    mutating func increment() { count += 1 }
}
