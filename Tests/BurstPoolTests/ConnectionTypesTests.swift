// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization
import Testing

/// The pool stores connections of any type in its own memory.
@Suite(.timeLimit(.minutes(5)))
struct ConnectionTypesTests {
    private func withValues<Value: Sendable>(
        _ kind: CoreKind,
        maxSize: Int = 3,
        _ make: @escaping @Sendable () -> Value,
        _ body: (any PoolUnderTest<Value>) async throws -> Void
    ) async throws {
        let strategy = ValueStrategy(make)
        let pool = try kind.makePool(
            strategy: strategy,
            configuration: ConnectionPoolConfiguration(maxSize: maxSize)
        )
        try await body(pool)
        await pool.shutdown()
        #expect(strategy.opened == strategy.closed)
    }

    @Test("Changes that the body makes to a struct are kept", arguments: CoreKind.allCases)
    func valueType(kind: CoreKind) async throws {
        try await withValues(kind, maxSize: 1, { Counter() }) { pool in
            for _ in 0..<100 { try await pool.withConnection { $0.increment() } }
            let found = try await pool.withConnection { $0.count }
            #expect(found == 100)
        }
    }

    @Test("Changes are also kept if the body throws afterwards", arguments: CoreKind.allCases)
    func changeBeforeThrowing(kind: CoreKind) async throws {
        try await withValues(kind, maxSize: 1, { Counter() }) { pool in
            await #expect(throws: TestError.self) {
                try await pool.withConnection { connection in
                    connection.increment()
                    throw TestError("body")
                }
            }
            let found = try await pool.withConnection { $0.count }
            #expect(found == 1)
        }
    }

    @Test("A connection may have a size of zero", arguments: CoreKind.allCases)
    func zeroSized(kind: CoreKind) async throws {
        struct Nothing {}
        #expect(MemoryLayout<Nothing>.size == 0)
        try await withValues(kind, { Nothing() }) { pool in
            let leases = [try await pool.acquire(), try await pool.acquire(), try await pool.acquire()]
            #expect(pool.statistics.inUse == 3)
            for lease in leases { lease.release() }
            try await pool.withConnection { _ in }
        }
    }

    @Test("Connections may be large", arguments: CoreKind.allCases)
    func large(kind: CoreKind) async throws {
        #expect(MemoryLayout<Large>.size >= 200)
        let number = Shared(0)
        try await withValues(kind, { Large(number.countUp()) }) { pool in
            var leases: [TestLease<Large>] = []
            for _ in 0..<3 { leases.append(try await pool.acquire()) }
            for (index, lease) in leases.enumerated() {
                #expect(lease.connection.isWhole)
                lease.connection = Large(100 + index)
            }
            for (index, lease) in leases.enumerated() {
                #expect(lease.connection.isWhole)
                #expect(lease.connection.first == 100 + index)
                lease.release()
            }
        }
    }

    @Test("A connection may have a larger alignment than a word", arguments: CoreKind.allCases)
    func overAligned(kind: CoreKind) async throws {
        #expect(MemoryLayout<Aligned16>.alignment == 16)
        try await withValues(kind, { Aligned16() }) { try await self.useAligned($0) }
    }

    private func useAligned<Value>(_ pool: any PoolUnderTest<Value>) async throws {
        for _ in 0..<10 {
            let misalignment = try await pool.withConnection { connection in
                withUnsafeMutablePointer(to: &connection) {
                    UInt(bitPattern: $0) % UInt(MemoryLayout<Value>.alignment)
                }
            }
            #expect(misalignment == 0)
        }
    }

    @Test("Connections may be optional, enums, existentials and closures", arguments: CoreKind.allCases)
    func otherKinds(kind: CoreKind) async throws {
        try await withValues(kind, { Int?.none }) { pool in
            try await pool.withConnection { $0 = 3 }
            let found = try await pool.withConnection { $0 }
            #expect(found == 3)
        }
        try await withValues(kind, { "text" as any Sendable }) { pool in
            let found = try await pool.withConnection { $0 as? String }
            #expect(found == "text")
        }
        let nine: @Sendable () -> Int = { 9 }
        try await withValues(kind, { nine }) { pool in
            let found = try await pool.withConnection { $0() }
            #expect(found == 9)
        }
    }

    @Test("Everything that a connection refers to is freed with it", arguments: CoreKind.allCases)
    func freesReferences(kind: CoreKind) async throws {
        struct Holder: Sendable { let token: Token }
        let alive = Shared(0)
        try await withValues(kind, { Holder(token: Token(alive)) }) { pool in
            var leases: [TestLease<Holder>] = []
            for _ in 0..<3 { leases.append(try await pool.acquire()) }
            #expect(alive.value == 3)
            // A value that the body assigns replaces the connection.
            try await { () async throws in leases[0].connection = Holder(token: Token(alive)) }()
            #expect(alive.value == 3)
            for lease in leases { lease.release() }
        }
        try await eventually("all are freed") { alive.value == 0 }
    }
}

/// Connections that are values, which a closure makes.
final class ValueStrategy<Value: Sendable>: ConnectionStrategy {
    private let make: @Sendable () -> Value
    private let counts = Mutex((opened: 0, closed: 0))

    init(_ make: @escaping @Sendable () -> Value) {
        self.make = make
    }

    var opened: Int { counts.withLock { $0.opened } }
    var closed: Int { counts.withLock { $0.closed } }

    func makeConnection() async throws -> sending Value {
        counts.withLock { $0.opened += 1 }
        return make()
    }

    func connectionIsClosed(_ connection: Value) throws -> Bool { false }

    func closeConnection(_ connection: sending Value) async throws {
        counts.withLock { $0.closed += 1 }
    }
}

private struct Large: Sendable {
    typealias Row = (Int, Int, Int, Int, Int, Int, Int, Int)
    let first: Int
    let a: Row
    let b: Row
    let c: Row
    let last: Int
    let name: String

    init(_ number: Int) {
        first = number
        a = (1, 2, 3, 4, 5, 6, 7, number)
        b = a
        c = a
        last = number
        name = "connection number \(number), whose name is on the heap"
    }

    var isWhole: Bool {
        first == last && a.7 == first && b.7 == first && c.0 == 1 && c.7 == first && name.contains("number \(first),")
    }
}

/// The largest alignment of a Swift type.
private struct Aligned16: Sendable {
    var vector = SIMD4<Float>(repeating: 1)
}

private final class Token: Sendable {
    private let alive: Shared<Int>
    init(_ alive: Shared<Int>) {
        self.alive = alive
        alive.countUp()
    }
    deinit {
        alive.change { $0 -= 1 }
    }
}
