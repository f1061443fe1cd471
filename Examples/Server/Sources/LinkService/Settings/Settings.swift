// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolConfigReader
import BurstPoolDatadog
import BurstPoolPostgres
import BurstPoolRedis
import Configuration
import Logging

/// The settings of the service.
public struct Settings: Sendable {
    /// The address to listen on.
    public var host = "127.0.0.1"

    /// The port to listen on; 0 selects a free port.
    public var port = 8080

    /// The beginning of short links, without a slash at the end; `nil` means the address that the request was sent to.
    public var publicURL: String?

    /// The PostgreSQL server that stores the links; `nil` if Redis stores them.
    public var postgres: PostgresConfiguration?

    /// The Redis server that stores the links, unless PostgreSQL does.
    public var redis = Settings.withDefaultTimeouts(RedisConfiguration(host: "127.0.0.1"))

    /// A replica of the Redis server, from which links are read; `nil` if there is none.
    public var replica: RedisConfiguration?

    /// Whether links are read from Redis through connections that many requests share. Everything else uses connections that
    /// belong to one request at a time.
    public var sharesReads = true

    /// The limits of each pool, and how long a request waits for a connection.
    public var pool = Settings.poolDefaults(maxSize: 8, name: "redis")

    /// The Datadog agent that receives metrics; `nil` if there is none.
    public var datadog: DogStatsDConfiguration?

    /// How long accepted requests may continue after the service was asked to stop.
    public var shutdownDeadline = Duration.seconds(10)

    /// The lowest level that is logged.
    public var logLevel = Logger.Level.info

    /// The environment variables that were found, for a line in the log.
    public internal(set) var summary = "no settings; all have their defaults"

    /// Sentences about environment variables that look like settings and are none.
    public internal(set) var warnings: [String] = []

    public init() {}

    /// The recommended configuration, adapted to a service with short requests.
    static func poolDefaults(maxSize: Int, name: String) -> ConnectionPoolConfiguration {
        let (burstLimit, overflow) = maxSize.multipliedReportingOverflow(by: 4)
        var pool = ConnectionPoolConfiguration.recommended(maxSize: maxSize, burstLimit: overflow ? .max : burstLimit)
        pool.name = name
        pool.acquireTimeout = .milliseconds(250)
        // For the text at /pool/leases.
        pool.tracksLeases = true
        // The service should recover within a second after the database is back.
        pool.connectRetry?.cap = .milliseconds(500)
        return pool
    }

    private static let defaultTimeout = Duration.seconds(1)

    static func withDefaultTimeouts(_ configuration: RedisConfiguration) -> RedisConfiguration {
        var configuration = configuration
        configuration.connectTimeout = defaultTimeout
        configuration.commandTimeout = defaultTimeout
        configuration.clientName = configuration.clientName ?? "link-server"
        return configuration
    }

    static func withDefaultTimeouts(_ configuration: PostgresConfiguration) -> PostgresConfiguration {
        var configuration = configuration
        configuration.connectTimeout = defaultTimeout
        configuration.queryTimeout = defaultTimeout
        configuration.cancellationTimeout = defaultTimeout
        configuration.applicationName = "link-server"
        return configuration
    }
}
