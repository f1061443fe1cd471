import BurstPool
import BurstPoolRedis
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import ServerTestSupport

@testable import LinkService

/// Runs a body with the service in this process, on a Redis of its own, and shuts its pool down.
func withService<Result: Sendable>(
    _ change: (inout Settings) -> Void = { _ in },
    _ body: (LinkService, PrivateRedis) async throws -> Result
) async throws -> Result {
    var settings = Settings()
    // A busy machine is not what is tested.
    settings.pool.acquireTimeout = .seconds(10)
    settings.redis.commandTimeout = .seconds(10)
    change(&settings)
    return try await PrivateRedis.with { redis in
        settings.redis = try RedisConfiguration(url: redis.url).with(timeoutsOf: settings.redis)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let service = try LinkService(settings: settings, logger: logger)
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

/// Runs a body with a client whose requests reach the routes without a network.
func withClient<Result: Sendable>(
    _ change: (inout Settings) -> Void = { _ in },
    _ body: @escaping @Sendable (any TestClientProtocol, LinkService, PrivateRedis) async throws -> Result
) async throws -> Result {
    try await withService(change) { service, redis in
        try await service.application.test(.router) { client in try await body(client, service, redis) }
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

/// What a link is described as.
struct Description: Decodable {
    let code: String
    let shortURL: String
    let url: String
    let created: Date
    let count: Int
}

/// A problem, as RFC 9457 has it.
struct ProblemBody: Decodable {
    let type: String
    let title: String
    let status: Int
    let detail: String
}

extension TestResponse {
    func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(type, from: Data(body.readableBytesView))
    }
}

extension TestClientProtocol {
    func createLink(to url: String) async throws -> TestResponse {
        let body = try JSONEncoder().encode(["url": url])
        return try await execute(
            uri: "/links",
            method: .post,
            headers: [.contentType: "application/json"],
            body: ByteBuffer(bytes: body)
        )
    }

    func get(_ path: String) async throws -> TestResponse {
        try await execute(uri: path, method: .get)
    }
}
