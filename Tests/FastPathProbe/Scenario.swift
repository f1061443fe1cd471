// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// A way of leasing, which is repeated.
struct Scenario {
    let name: String
    /// Leases this often on a task that runs on the executor. Returns the counts.
    private let run: @Sendable (Int, CountingExecutor) async throws -> Counts

    init(name: String, _ lease: @escaping @Sendable (Int) async throws -> Void) {
        self.init(
            name: name,
            counting: { leases, executor in
                let before = Counts.upToNow(executor)
                try await lease(leases)
                return Counts.upToNow(executor) - before
            }
        )
    }

    /// Creates a scenario that does the counting itself.
    init(name: String, counting run: @escaping @Sendable (Int, CountingExecutor) async throws -> Counts) {
        self.name = name
        self.run = run
    }

    /// Runs the scenario once to warm up, and once to count.
    func count(leases: Int) async throws -> Counts {
        let executor = CountingExecutor()
        let run = self.run
        return try await Task(executorPreference: executor) {
            _ = try await run(leases / 10, executor)
            return try await run(leases, executor)
        }.value
    }

    static func all() async throws -> [Scenario] {
        let classes = try ConnectionPool(strategy: ClassStrategy(), maxSize: 4)
        let structs = try ConnectionPool(strategy: StructStrategy(), maxSize: 4)
        // The connections that the scenarios use are opened here.
        try await classes.withConnection { $0.uses += 1 }
        try await structs.withConnection { $0.uses += 1 }
        let client = Client(classes)
        let ofClosures = try ConnectionPool(
            maxSize: 4,
            open: { PooledClass() },
            isClosed: { $0.uses < 0 },
            close: { _ in }
        )
        try await ofClosures.withConnection { $0.uses += 1 }
        return [
            Scenario(name: "withConnection, a pool made of closures") { leases in
                for _ in 0..<leases { try await ofClosures.withConnection { $0.uses += 1 } }
            },
            Scenario(name: "withConnection, a class") { leases in
                for _ in 0..<leases { try await classes.withConnection { $0.uses += 1 } }
            },
            Scenario(name: "withConnection, a struct") { leases in
                for _ in 0..<leases { try await structs.withConnection { $0.uses += 1 } }
            },
            Scenario(name: "withConnection with a timeout and a result") { leases in
                var sum = 0
                for _ in 0..<leases {
                    sum &+= try await classes.withConnection(timeout: .seconds(1)) { connection in
                        connection.uses += 1
                        return connection.uses
                    }
                }
                precondition(sum != 0)
            },
            Scenario(name: "withConnection, a body that captures and sometimes throws") { leases in
                var sum = 0
                for lease in 0..<leases {
                    try await structs.withConnection { connection in
                        connection.uses += lease
                        sum &+= connection.uses
                        if connection.uses == .max { throw CancellationError() }
                    }
                }
                precondition(sum != 0)
            },
            Scenario(name: "two connections, one nested in the other") { leases in
                for _ in 0..<leases {
                    try await classes.withConnection { outer in
                        outer.uses += 1
                        try await structs.withConnection { $0.uses += 1 }
                    }
                }
            },
            Scenario(name: "acquire and release") { leases in
                for _ in 0..<leases {
                    let lease = try await classes.acquire()
                    lease.connection.uses += 1
                    lease.release()
                }
            },
            Scenario(name: "tryAcquire") { leases in
                for _ in 0..<leases {
                    guard let lease = classes.tryAcquire() else { fatalError("no connection is idle") }
                    lease.connection.uses += 1
                }
            },
            Scenario(
                name: "withConnection from inside an actor",
                counting: { leases, executor in
                    try await client.lease(leases, executor)
                }
            ),
        ]
    }

    static func controlThatAllocates() throws -> Scenario {
        let pool = try ConnectionPool(strategy: ClassStrategy(), maxSize: 1)
        return Scenario(name: "allocates") { leases in
            for _ in 0..<leases { try await pool.withConnection { $0.next = PooledClass() } }
        }
    }

    static func controlThatSuspends() throws -> Scenario {
        let pool = try ConnectionPool(strategy: ClassStrategy(), maxSize: 1)
        return Scenario(name: "suspends") { leases in
            for _ in 0..<leases { try await pool.withConnection { _ in await Task.yield() } }
        }
    }
}

/// Leases inside an actor, whose state the body changes. A default actor runs on the executor of its caller's task.
private actor Client {
    private let pool: ConnectionPool<ClassStrategy>
    private var used = 0

    init(_ pool: ConnectionPool<ClassStrategy>) {
        self.pool = pool
    }

    /// Counts inside the actor, because the pool does not cause the cost of entering and leaving it.
    func lease(_ leases: Int, _ executor: CountingExecutor) async throws -> Counts {
        let before = Counts.upToNow(executor)
        for _ in 0..<leases {
            try await pool.withConnection { connection in
                connection.uses += 1
                used += 1
            }
        }
        return Counts.upToNow(executor) - before
    }
}
