// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolDatadog
import BurstPoolPostgres
import BurstPoolRedis
import CoreMetrics
import Foundation
import HTTPTypes
import Logging
import ServerTestSupport
import ServiceLifecycle
import Testing

@testable import LinkService

/// Runs a body with the service in this process and a private Redis, and shuts the pool down.
func withService<Result: Sendable>(
    _ change: (inout Settings) -> Void = { _ in },
    datadog: DogStatsDClient? = nil,
    _ body: (LinkService<RedisConnectionStrategy>, PrivateRedis) async throws -> Result
) async throws -> Result {
    try await PrivateRedis.with { redis in
        try await withService(on: redis, change) { settings, metrics, logger in
            try LinkService(
                redis: settings.redis,
                replica: settings.replica,
                settings: settings,
                metrics: metrics,
                datadog: datadog,
                logger: logger
            )
        } body: { service in
            try await body(service, redis)
        }
    }
}

/// Runs a body with the service in this process and a private PostgreSQL, and shuts the pool down.
func withPostgresService<Result: Sendable>(
    _ change: (inout Settings) -> Void = { _ in },
    _ body: (LinkService<PostgresConnectionStrategy>, PrivatePostgres) async throws -> Result
) async throws -> Result {
    try await PrivatePostgres.with { postgres in
        try await withService(on: postgres, change) { settings, metrics, logger in
            let configuration = try #require(settings.postgres)
            return try LinkService(postgres: configuration, settings: settings, metrics: metrics, logger: logger)
        } body: { service in
            try await body(service, postgres)
        }
    }
}

private func withService<Strategy: ConnectionStrategy, Result: Sendable>(
    on database: some PrivateDatabase,
    _ change: (inout Settings) -> Void,
    make: (Settings, ScrapedMetrics, Logger) throws -> LinkService<Strategy>,
    body: (LinkService<Strategy>) async throws -> Result
) async throws -> Result {
    // Long time limits, so that a busy machine does not fail the tests.
    var settings = try Settings(
        environment: database.settings.merging([
            "PORT": "0", "POOL_ACQUIRE_TIMEOUT": "10s", "REDIS_TIMEOUT": "10s", "POSTGRES_TIMEOUT": "10s",
        ]) { $1 }
    )
    change(&settings)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let metrics = ScrapedMetrics()
    // For this task only, so that concurrent tests have separate metrics.
    return try await withMetricsFactory(metrics) {
        let service = try make(settings, metrics, logger)
        do {
            let result = try await body(service)
            await service.shutDownPools()
            return result
        } catch {
            await service.shutDownPools()
            throw error
        }
    }
}

/// Runs a body with a client of the service on a private Redis.
func withClient<Result: Sendable>(
    _ change: (inout Settings) -> Void = { _ in },
    _ body: @escaping @Sendable (Client, LinkService<RedisConnectionStrategy>, PrivateRedis) async throws -> Result
) async throws -> Result {
    try await withService(change) { service, redis in
        try await service.serving { port in try await body(Client(port: port), service, redis) }
    }
}

/// Runs a body with a client of the service on a private database.
func withClient(
    on database: TestDatabase,
    _ change: (inout Settings) -> Void = { _ in },
    _ body: @escaping @Sendable (Client, any PrivateDatabase) async throws -> Void
) async throws {
    switch database {
    case .redis:
        try await withService(change) { service, redis in
            try await service.serving { port in try await body(Client(port: port), redis) }
        }
    case .postgres:
        try await withPostgresService(change) { service, postgres in
            try await service.serving { port in try await body(Client(port: port), postgres) }
        }
    }
}

extension LinkService {
    func shutDownPools() async {
        for database in pools.databases { await database.pool.shutdown(drainFor: nil) }
    }

    /// Runs a body while the service answers requests on a free local port.
    func serving<Result: Sendable>(_ body: @escaping @Sendable (Int) async throws -> Result) async throws -> Result {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let services = ServiceGroup(services: [application { port.yield($0) }], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { port.finish() }
                try await services.run()
            }
            guard let port = await ports.first(where: { _ in true }) else {
                try await group.waitForAll()
                throw GuardedProcess.Failure("the service ended before it accepted requests")
            }
            let result: Result
            do {
                result = try await body(port)
            } catch {
                await services.triggerGracefulShutdown()
                throw error
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            return result
        }
    }
}

/// The description of a link.
struct Description: Decodable {
    let code: String
    let shortURL: String
    let url: String
    let created: Date
    let count: Int
}

/// A problem in the format of RFC 9457.
struct ProblemBody: Decodable {
    let type: String
    let title: String
    let status: Int
    let detail: String
}

/// Sends requests on separate connections.
struct Client: Sendable {
    let port: Int

    func execute(
        _ method: HTTPRequest.Method,
        _ path: String,
        headers: HTTPFields = [:],
        body: String? = nil
    ) async throws -> Answer {
        try await HTTPConnection.with(port: port) { connection in
            Answer(try await connection.send(method, path, headers: headers, body: body))
        }
    }

    func get(_ path: String) async throws -> Answer {
        try await execute(.get, path)
    }

    func createLink(to url: String) async throws -> Answer {
        let body = try JSONEncoder().encode(["url": url])
        return try await execute(
            .post,
            "/links",
            headers: [.contentType: "application/json"],
            body: String(decoding: body, as: UTF8.self)
        )
    }
}

struct Answer: Sendable {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let body: String

    init(_ answer: HTTPConnection.Answer) {
        status = HTTPResponse.Status(code: answer.status)
        headers = answer.headers
        body = answer.body
    }

    func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(type, from: Data(body.utf8))
    }
}
