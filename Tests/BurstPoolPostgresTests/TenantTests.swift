// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres
import BurstPoolPostgresServer
import Testing

/// The examples of the article "One pool for each tenant".
@Suite("Tenants", .timeLimit(.minutes(5)))
struct TenantTests {
    private static let total = 4

    private func group(
        _ name: String,
        _ choose: @escaping @Sendable (Int, inout PostgresConfiguration) -> Void
    ) throws -> ConnectionPoolGroup<Int, PostgresConnectionStrategy> {
        var configuration = ConnectionPoolConfiguration.recommended(maxSize: 2, burstLimit: 4)
        configuration.resetsConnections = true
        configuration.acquireTimeout = .seconds(120)
        configuration.connectTimeout = .seconds(60)
        return try ConnectionPoolGroup(maxTotal: Self.total, perKey: configuration) { tenant in
            try sharedStrategy {
                $0.applicationName = name
                choose(tenant, &$0)
            }
        }
    }

    /// Has many callers of all tenants ask which tenant they have reached. Counts the sessions at the server meanwhile.
    private func use(
        _ group: ConnectionPoolGroup<Int, PostgresConnectionStrategy>,
        _ name: String,
        asking tenantOf: @escaping @Sendable (inout sending PostgresConnection) async throws -> Int
    ) async throws {
        let server = try sharedServer
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = '\(name)'"
        let reached = try await withThrowingTaskGroup(of: (tenant: Int, reached: Int).self) { tasks in
            for caller in 0..<60 {
                let tenant = caller % 6
                tasks.addTask {
                    (tenant, try await group.withConnection(for: tenant) { try await tenantOf(&$0) })
                }
            }
            var reached: [(tenant: Int, reached: Int)] = []
            while let next = try await tasks.next() {
                reached.append(next)
                guard reached.count % 10 == 0 else { continue }
                // A session can outlive its connection at the server for a moment, which the pool waits for.
                let count = try await blocking { Int(try server.execute(sessions)) }
                #expect(try #require(count) <= Self.total)
            }
            return reached
        }
        #expect(reached.count == 60)
        #expect(reached.allSatisfy { $0.tenant == $0.reached })
        #expect(await group.shutdown(drainFor: .seconds(60)).isComplete)
        #expect(try await eventually { try server.execute(sessions) == "0" })
    }

    @Test(
        "a database for each tenant: every caller reaches its own, and the server never has more sessions than the total"
    )
    func databases() async throws {
        let (name, server) = (uniqueName(), try sharedServer)
        try await blocking {
            for tenant in 0..<6 {
                try server.execute("CREATE DATABASE \(name)_\(tenant)")
                try server.execute("ALTER DATABASE \(name)_\(tenant) SET app.tenant = '\(tenant)'")
            }
        }
        let group = try group(name) { tenant, configuration in configuration.parameters["dbname"] = "\(name)_\(tenant)"
        }
        try await use(group, name) { connection in
            try await connection.query("SELECT current_setting('app.tenant')::int8").only()[0, as: Int.self]
        }
        try await blocking { for tenant in 0..<6 { try server.execute("DROP DATABASE \(name)_\(tenant)") } }
    }

    @Test(
        "a schema for each tenant: every caller reaches its own, also after a caller that has changed the search path"
    )
    func schemas() async throws {
        let (name, server) = (uniqueName(), try sharedServer)
        try await blocking {
            for tenant in 0..<6 {
                try server.execute("CREATE SCHEMA \(name)_\(tenant)")
                try server.execute("CREATE TABLE \(name)_\(tenant).tenant AS SELECT \(tenant)::int8 AS id")
            }
        }
        let group = try group(name) { tenant, configuration in
            configuration.parameters["options"] = "-c search_path=\(name)_\(tenant)"
            configuration.reset = .all
        }
        try await use(group, name) { connection in
            let tenant = try await connection.query("SELECT id FROM tenant").only()[0, as: Int.self]
            try await connection.execute("SET search_path = public")
            return tenant
        }
        try await blocking { for tenant in 0..<6 { try server.execute("DROP SCHEMA \(name)_\(tenant) CASCADE") } }
    }
}
