// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolDatadog
import BurstPoolPostgres
import BurstPoolRedis
import Logging
import Testing

@testable import LinkService

@Suite("Settings", .timeLimit(.minutes(5)))
struct SettingsTests {
    func settings(_ environment: [String: String]) throws(SettingsError) -> Settings {
        try Settings(environment: environment)
    }

    func service(_ settings: Settings) throws -> LinkService<RedisConnectionStrategy> {
        let logger = Logger(label: "test")
        return try LinkService(redis: settings.redis, settings: settings, metrics: ScrapedMetrics(), logger: logger)
    }

    @Test("An empty environment has the defaults in the help text")
    func defaults() throws {
        let settings = try settings([:])
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8080)
        #expect(settings.publicURL == nil)
        #expect(settings.redis.endpoint == .tcp(host: "127.0.0.1", port: 6379))
        #expect(settings.redis.commandTimeout == .seconds(1))
        #expect(settings.postgres == nil)
        #expect(settings.pool.name == "redis")
        #expect(settings.pool.maxSize == 8)
        #expect(settings.pool.burstLimit == 32)
        #expect(settings.pool.maxConcurrentConnects == 8)
        #expect(settings.pool.acquireTimeout == .milliseconds(250))
        #expect(settings.pool.burstLinger == .seconds(1))
        #expect(settings.pool.closeErrors == .reported)
        #expect(settings.datadog == nil)
        #expect(settings.shutdownDeadline == .seconds(10))
        #expect(settings.logLevel == .info)
    }

    @Test("Every variable sets its setting")
    func all() throws {
        let settings = try settings([
            "HOST": "::1", "PORT": "0", "PUBLIC_URL": "https://s.example/x/",
            "REDIS_URL": "redis://:secret@cache:1234/5",
            "REDIS_TIMEOUT": "70ms", "POOL_MAX_SIZE": "3", "POOL_BURST_LIMIT": "9",
            "POOL_MAX_CONCURRENT_CONNECTS": "2",
            "POOL_ACQUIRE_TIMEOUT": "40ms", "POOL_CONNECT_RETRY_CAP": "3s", "DD_AGENT_HOST": "agent", "DD_ENV": "test",
            "SHUTDOWN_DEADLINE": "1.5s", "LOG_LEVEL": "debug",
        ])
        #expect(settings.host == "::1")
        #expect(settings.port == 0)
        #expect(settings.publicURL == "https://s.example/x")
        #expect(settings.redis.endpoint == .tcp(host: "cache", port: 1234))
        #expect(settings.redis.password == "secret")
        #expect(settings.redis.database == 5)
        #expect(settings.redis.connectTimeout == .milliseconds(70))
        #expect(settings.redis.commandTimeout == .milliseconds(70))
        #expect(settings.pool.maxSize == 3)
        #expect(settings.pool.burstLimit == 9)
        #expect(settings.pool.maxConcurrentConnects == 2)
        #expect(settings.pool.acquireTimeout == .milliseconds(40))
        #expect(settings.pool.connectRetry?.cap == .seconds(3))
        #expect(settings.datadog?.address == .udp(host: "agent", port: 8125))
        #expect(settings.datadog?.globalTags == ["env:test"])
        #expect(settings.shutdownDeadline == .milliseconds(1500))
        #expect(settings.logLevel == .debug)
    }

    @Test("Without a burst limit there is no burst linger")
    func noBurst() throws {
        let settings = try settings(["POOL_BURST_LIMIT": "none"])
        #expect(settings.pool.burstLimit == nil)
        #expect(settings.pool.burstLinger == nil)
        #expect(try self.settings(["POOL_BURST_LINGER": "3s"]).pool.burstLinger == .seconds(3))
        _ = try service(settings)
    }

    @Test("The default burst limit is four times maxSize")
    func burst() throws {
        #expect(try settings(["POOL_MAX_SIZE": "50"]).pool.burstLimit == 200)
    }

    @Test(
        "An invalid value is refused with the variable and the reason",
        arguments: [
            ("PORT", "http", "PORT is 'http', but must be a whole number."),
            ("PORT", "65536", "PORT is 65536, but must be from 0 to 65535."),
            ("PORT", "80 ", "PORT is '80 ', but must be a whole number."),
            ("HOST", "", "HOST is empty. Remove it to use the default."),
            ("PUBLIC_URL", "s.example", "PUBLIC_URL is 's.example', but it does not begin with http:// or https://"),
            ("PUBLIC_URL", "http://s.example/?a", "nothing can follow a query"),
            (
                "POOL_MAX_SIZE", "many",
                "POOL_MAX_SIZE cannot be used: 'maxSize' is 'many', but must be a whole number."
            ),
            ("POOL_ACQUIRE_TIMEOUT", "soon", "POOL_ACQUIRE_TIMEOUT cannot be used"),
            (
                "POOL_ACQUIRE_TIMEOUT", "250",
                "'acquireTimeout' is '250', but must be a duration with a unit, such as 250ms or 250s."
            ),
            ("POOL_CONNECT_RETRY_CAP", "", "POOL_CONNECT_RETRY_CAP cannot be used"),
            ("DD_DOGSTATSD_URL", "http://agent", "DD_DOGSTATSD_URL"),
            ("REDIS_TIMEOUT", "0s", "REDIS_TIMEOUT is '0s', but must be from"),
            (
                "REDIS_TIMEOUT", "1000",
                "REDIS_TIMEOUT is '1000', but must be a duration with a unit, such as 1000ms or 1000s."
            ),
            ("SHUTDOWN_DEADLINE", "soon", "SHUTDOWN_DEADLINE is 'soon', but must be a number with a unit"),
            ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud', but must be one of trace"),
            ("REDIS_URL", "http://cache", "REDIS_URL cannot be used"),
            ("POSTGRES_URL", "redis://cache", "POSTGRES_URL cannot be used"),
            ("POSTGRES_TIMEOUT", "1000", "POSTGRES_TIMEOUT is '1000', but must be a duration with a unit"),
        ]
    )
    func refused(variable: String, value: String, message: String) throws {
        let error = #expect(throws: SettingsError.self) { try settings([variable: value]) }
        #expect(error?.problems.count == 1)
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test("The pool refuses limits that are out of range")
    func outOfRange() throws {
        for (variable, value) in [("POOL_MAX_SIZE", "0"), ("POOL_MAX_SIZE", "\(Int.max)"), ("POOL_BURST_LIMIT", "7")] {
            let settings = try settings([variable: value])
            let error = #expect(throws: ConnectionPoolError.self) {
                _ = try service(settings)
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(value) == true, "\(error?.message ?? "")")
        }
    }

    @Test("All problems are reported together")
    func together() throws {
        let error = #expect(throws: SettingsError.self) {
            try settings(["PORT": "x", "POOL_MAX_SIZE": "x", "LOG_LEVEL": "loud"])
        }
        #expect(error?.problems.count == 3)
    }

    @Test("An error about a URL does not contain its password")
    func secret() throws {
        let error = #expect(throws: SettingsError.self) { try settings(["REDIS_URL": "redis://:hush@cache:0/x"]) }
        #expect(error?.description.contains("hush") == false)
        let other = #expect(throws: SettingsError.self) { try settings(["POSTGRES_URL": "postgresql://a:hush%zz@db"]) }
        #expect(other?.description.contains("hush") == false)
    }

    @Test("REDIS_TIMEOUT takes precedence over the URL, and the URL over the default")
    func timeouts() throws {
        let url = "redis://cache/?connect_timeout=3s&command_timeout=4s"
        #expect(try settings(["REDIS_URL": "redis://cache"]).redis.connectTimeout == .seconds(1))
        #expect(try settings(["REDIS_URL": url]).redis.connectTimeout == .seconds(3))
        #expect(try settings(["REDIS_URL": url]).redis.commandTimeout == .seconds(4))
        #expect(try settings(["REDIS_URL": url, "REDIS_TIMEOUT": "2s"]).redis.connectTimeout == .seconds(2))
        #expect(try settings(["REDIS_TIMEOUT": "2s"]).redis.commandTimeout == .seconds(2))
        #expect(try settings(["REDIS_URL": "redis://cache?client_name=me"]).redis.clientName == "me")
    }

    @Test("POSTGRES_URL makes PostgreSQL store the links, with short time limits and a pool of that name")
    func postgres() throws {
        let settings = try settings(["POSTGRES_URL": "postgresql://app:hush@db/links", "POOL_MAX_SIZE": "3"])
        let postgres = try #require(settings.postgres)
        #expect(postgres.parameters["host"] == "db")
        #expect(postgres.parameters["dbname"] == "links")
        #expect(postgres.applicationName == "link-server")
        #expect(postgres.connectTimeout == .seconds(1))
        #expect(postgres.queryTimeout == .seconds(1))
        #expect(settings.pool.name == "postgres")
        #expect(settings.pool.maxSize == 3)
        #expect(settings.summary == "POSTGRES_URL=(secret) POOL_MAX_SIZE=3")
        #expect(settings.warnings == [])
    }

    @Test("POSTGRES_TIMEOUT takes precedence over the URL, and the URL over the default")
    func postgresTimeouts() throws {
        let url = "postgresql://db/?connect_timeout=3"
        #expect(try settings(["POSTGRES_URL": url]).postgres?.connectTimeout == .seconds(3))
        #expect(try settings(["POSTGRES_URL": url]).postgres?.queryTimeout == .seconds(1))
        let both = try settings(["POSTGRES_URL": url, "POSTGRES_TIMEOUT": "2s"]).postgres
        #expect(both?.connectTimeout == .seconds(2))
        #expect(both?.queryTimeout == .seconds(2))
        #expect(both?.cancellationTimeout == .seconds(2))
    }

    @Test("The URLs of two databases contradict each other", arguments: ["REDIS_URL", "REDIS_REPLICA_URL"])
    func twoDatabases(variable: String) throws {
        let error = #expect(throws: SettingsError.self) {
            try settings(["POSTGRES_URL": "postgresql://db", variable: "redis://cache"])
        }
        #expect(
            error?.problems == ["\(variable) and POSTGRES_URL are both set, but only one database stores the links."]
        )
    }

    @Test("A time limit of the other database is a warning")
    func timeoutWithoutEffect() throws {
        let postgres = try settings(["POSTGRES_URL": "postgresql://db", "REDIS_TIMEOUT": "2s"])
        #expect(postgres.warnings == ["REDIS_TIMEOUT has no effect with POSTGRES_URL."])
        let redis = try settings(["POSTGRES_TIMEOUT": "2s"])
        #expect(redis.warnings == ["POSTGRES_TIMEOUT has no effect without POSTGRES_URL."])
        #expect(redis.postgres == nil)
    }

    @Test("The summary lists the variables that were found, without secrets")
    func summary() throws {
        #expect(try settings(["HOME": "/"]).summary == "no settings; all have their defaults")
        let summary = try settings([
            "PORT": "81", "REDIS_URL": "redis://:hush@cache", "POOL_MAX_SIZE": "3", "POOL_CONNECT_RETRY": "true",
        ]).summary
        #expect(summary == "PORT=81 REDIS_URL=(secret) POOL_MAX_SIZE=3 POOL_CONNECT_RETRY=true")
    }

    @Test("A misspelt variable of the pool is a warning with a suggestion")
    func misspelt() throws {
        let settings = try settings([
            "POOL_MAXSIZE": "3", "POOL_CIRCUIT_BREAKER_FAILURE_TRESHOLD": "2", "POOL_MAX_SIZE": "9",
        ])
        #expect(
            settings.warnings == [
                "POOL_CIRCUIT_BREAKER_FAILURE_TRESHOLD is not a setting of the pool and is ignored."
                    + " Did you mean POOL_CIRCUIT_BREAKER_FAILURE_THRESHOLD?",
                "POOL_MAXSIZE is not a setting of the pool and is ignored. Did you mean POOL_MAX_SIZE?",
            ]
        )
        #expect(settings.pool.maxSize == 9)
    }

    @Test("Reads share connections unless the setting says that they do not")
    func reads() throws {
        #expect(try settings([:]).sharesReads)
        #expect(try settings(["REDIS_READS": "shared"]).sharesReads)
        #expect(try !settings(["REDIS_READS": "exclusive"]).sharesReads)
        let error = #expect(throws: SettingsError.self) { try settings(["REDIS_READS": "both"]) }
        #expect(error?.problems == ["REDIS_READS is 'both', but must be shared or exclusive."])
        let postgres = try settings(["REDIS_READS": "shared", "POSTGRES_URL": "postgresql://localhost"])
        #expect(postgres.warnings == ["REDIS_READS has no effect with POSTGRES_URL."])
    }

    @Test("A replica has the same time limits and no password in the summary")
    func replica() throws {
        let settings = try settings(["REDIS_REPLICA_URL": "redis://:hush@replica", "REDIS_TIMEOUT": "2s"])
        #expect(settings.replica?.endpoint == .tcp(host: "replica", port: 6379))
        #expect(settings.replica?.commandTimeout == .seconds(2))
        #expect(settings.summary == "REDIS_TIMEOUT=2s REDIS_REPLICA_URL=(secret)")
    }
}
