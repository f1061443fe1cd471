// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ConfigurationTests {
    struct Refused: CustomTestStringConvertible, Sendable {
        let maxSize: Int
        let burstLimit: Int?
        /// The numbers that the message must contain.
        let names: [Int]
        var testDescription: String { "maxSize \(maxSize), burstLimit \(burstLimit.map(String.init) ?? "nil")" }

        static let all = [
            Refused(maxSize: 0, burstLimit: nil, names: [0]),
            Refused(maxSize: -1, burstLimit: nil, names: [-1]),
            Refused(maxSize: .min, burstLimit: nil, names: [.min]),
            Refused(maxSize: 0, burstLimit: 5, names: [0]),
            Refused(maxSize: .max, burstLimit: nil, names: [.max]),
            Refused(maxSize: 1_073_741_824, burstLimit: nil, names: [1_073_741_824, 1_073_741_823]),
            Refused(maxSize: 1, burstLimit: 1_073_741_824, names: [1_073_741_824, 1_073_741_823]),
            Refused(maxSize: 1, burstLimit: .max, names: [.max]),
            Refused(maxSize: 5, burstLimit: 4, names: [5, 4]),
            Refused(maxSize: 5, burstLimit: 0, names: [5, 0]),
            Refused(maxSize: 5, burstLimit: -3, names: [5, -3]),
        ]
    }

    @Test(
        "Invalid sizes are rejected with a message that names them",
        arguments: CoreKind.allCases,
        Refused.all
    )
    func refusesSizes(kind: CoreKind, refused: Refused) async throws {
        let witness = Witness()
        let error = try await poolError(.invalidConfiguration) {
            _ = try kind.makePool(
                strategy: TestStrategy(witness: witness),
                configuration: ConnectionPoolConfiguration(maxSize: refused.maxSize, burstLimit: refused.burstLimit)
            )
        }
        for name in refused.names { #expect(error.message.contains("\(name)")) }
        #expect(error.statistics == nil)
        #expect(witness.watchedIsGone, "the strategy of a pool that could not be made is released")
    }

    @Test(
        "A resize to invalid sizes is rejected and changes nothing",
        arguments: CoreKind.allCases,
        Refused.all
    )
    func refusesToResize(kind: CoreKind, refused: Refused) async throws {
        try await withPool(kind, maxSize: 2, burstLimit: 3) { pool, _ in
            let error = try await poolError(.invalidConfiguration) {
                try pool.resize(maxSize: refused.maxSize, burstLimit: refused.burstLimit)
            }
            for name in refused.names { #expect(error.message.contains("\(name)")) }
            #expect(pool.statistics.maxSize == 2)
            #expect(pool.statistics.burstLimit == 3)
        }
    }

    @Test(
        "The smallest and largest valid sizes are accepted",
        arguments: CoreKind.allCases,
        [(1, nil), (1, 1), (1, 1_073_741_823), (1_073_741_823, nil), (1_073_741_823, 1_073_741_823)] as [(Int, Int?)]
    )
    func takesEdges(kind: CoreKind, sizes: (Int, Int?)) async throws {
        try await withPool(kind, maxSize: sizes.0, burstLimit: sizes.1) { pool, _ in
            #expect(pool.statistics.maxSize == sizes.0)
            try await pool.withConnection { $0.use() }
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test("A new pool has no connection, and opens none until a caller needs one", arguments: CoreKind.allCases)
    func startsEmpty(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3, burstLimit: 5) { pool, strategy in
            #expect(pool.statistics.total == 0)
            #expect(pool.tryAcquire() == nil)
            await letOthersRun()
            #expect(strategy.books.attempts == 0)
        }
    }

    @Test("The short initialiser equals the full one with the default configuration")
    func shortInitialiser() async throws {
        let strategy = TestStrategy()
        let pool = try ConnectionPool(strategy: strategy, maxSize: 2, burstLimit: 4)
        #expect(pool.statistics.maxSize == 2)
        #expect(pool.statistics.burstLimit == 4)
        #expect(ConnectionPoolConfiguration(maxSize: 2).acquireTimeout == .seconds(30))
        #expect(ConnectionPoolConfiguration(maxSize: 2).closeErrors == .thrown)
        await pool.shutdown()
    }
}
