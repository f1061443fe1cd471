// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolDatadog
import BurstPoolRedis
import CoreMetrics
import Foundation
import HTTPTypes
import Logging
import ServerTestSupport
import ServiceLifecycle

@testable import LinkService

/// Runs a body with the service in this process and a private Redis, and shuts the pool down.
func withService<Result: Sendable>(
    _ change: (inout Settings) -> Void = { _ in },
    datadog: DogStatsDClient? = nil,
    _ body: (LinkService, PrivateRedis) async throws -> Result
) async throws -> Result {
    var settings = Settings()
    // Long time limits, so that a busy machine does not fail the tests.
    settings.pool.acquireTimeout = .seconds(10)
    settings.redis.commandTimeout = .seconds(10)
    settings.port = 0
    change(&settings)
    return try await PrivateRedis.with { redis in
        settings.redis = try RedisConfiguration(url: redis.url).with(timeoutsOf: settings.redis)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let metrics = ScrapedMetrics()
        // For this task only, so that concurrent tests have separate metrics.
        return try await withMetricsFactory(metrics) {
            let service = try LinkService(settings: settings, metrics: metrics, datadog: datadog, logger: logger)
            do {
                let result = try await body(service, redis)
                await service.redis.pool.shutdown()
                return result
            } catch {
                await service.redis.pool.shutdown()
                throw error
            }
        }
    }
}

/// Runs a body with a client of the service.
func withClient<Result: Sendable>(
    _ change: (inout Settings) -> Void = { _ in },
    _ body: @escaping @Sendable (Client, LinkService, PrivateRedis) async throws -> Result
) async throws -> Result {
    try await withService(change) { service, redis in
        try await service.serving { port in try await body(Client(port: port), service, redis) }
    }
}

extension LinkService {
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

extension RedisConfiguration {
    fileprivate func with(timeoutsOf other: RedisConfiguration) -> RedisConfiguration {
        var configuration = self
        configuration.connectTimeout = other.connectTimeout
        configuration.commandTimeout = other.commandTimeout
        return configuration
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
