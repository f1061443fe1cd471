import BurstPool
import BurstPoolDatadog
import BurstPoolRedis
import Configuration
import Logging
import Testing

@testable import LinkService

@Suite("Settings", .timeLimit(.minutes(5)))
struct SettingsTests {
    func settings(_ environment: [String: String]) throws(SettingsError) -> Settings {
        try Settings(from: EnvironmentVariablesProvider(environmentVariables: environment))
    }

    @Test("An empty environment has the defaults that the help tells")
    func defaults() throws {
        let settings = try settings([:])
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8080)
        #expect(settings.publicURL == nil)
        #expect(settings.redis.endpoint == .tcp(host: "127.0.0.1", port: 6379))
        #expect(settings.redis.commandTimeout == .seconds(1))
        #expect(settings.pool.maxSize == 8)
        #expect(settings.pool.burstLimit == 32)
        #expect(settings.pool.maxConcurrentConnects == nil)
        #expect(settings.pool.acquireTimeout == .milliseconds(250))
        #expect(settings.pool.burstLinger == .seconds(1))
        #expect(settings.pool.closeErrors == .reported)
        #expect(settings.datadog == nil)
        #expect(settings.shutdownDeadline == .seconds(10))
        #expect(settings.logLevel == .info)
    }

    @Test("Each variable sets what it is called after")
    func all() throws {
        let settings = try settings([
            "HOST": "::1", "PORT": "0", "PUBLIC_URL": "https://s.example/x/",
            "REDIS_URL": "redis://:secret@cache:1234/5",
            "REDIS_TIMEOUT_MS": "70", "POOL_MAX_SIZE": "3", "POOL_BURST_LIMIT": "9",
            "POOL_MAX_CONCURRENT_CONNECTS": "2",
            "POOL_ACQUIRE_TIMEOUT": "40ms", "POOL_CONNECT_RETRY_CAP": "3s", "DD_AGENT_HOST": "agent", "DD_ENV": "test",
            "SHUTDOWN_DEADLINE_MS": "1500", "LOG_LEVEL": "debug",
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

    @Test("Without a burst there is nothing that lingers")
    func noBurst() throws {
        let settings = try settings(["POOL_BURST_LIMIT": "none"])
        #expect(settings.pool.burstLimit == nil)
        #expect(settings.pool.burstLinger == nil)
        #expect(try self.settings(["POOL_BURST_LINGER": "3s"]).pool.burstLinger == .seconds(3))
        _ = try LinkService(settings: settings, metrics: ScrapedMetrics(), logger: Logger(label: "test"))
    }

    @Test("Without a burst limit, four times the size is allowed")
    func burst() throws {
        #expect(try settings(["POOL_MAX_SIZE": "50"]).pool.burstLimit == 200)
    }

    @Test(
        "What is of no use is refused, with the variable and the reason",
        arguments: [
            ("PORT", "http", "PORT is 'http', which is not a whole number"),
            ("PORT", "65536", "PORT is 65536, which is not from 0 to 65535"),
            ("PORT", "80 ", "PORT is '80 ', which is not a whole number"),
            ("HOST", "", "HOST is empty; leave it out to have the default"),
            ("PUBLIC_URL", "s.example", "PUBLIC_URL is 's.example', but it does not begin with http:// or https://"),
            ("PUBLIC_URL", "http://s.example/?a", "nothing can follow a query"),
            (
                "POOL_MAX_SIZE", "many",
                "POOL_MAX_SIZE cannot be used: 'maxSize' is 'many', but has to be a whole number"
            ),
            ("POOL_ACQUIRE_TIMEOUT", "soon", "POOL_ACQUIRE_TIMEOUT cannot be used"),
            ("POOL_CONNECT_RETRY_CAP", "", "POOL_CONNECT_RETRY_CAP cannot be used"),
            ("DD_DOGSTATSD_URL", "http://agent", "DD_DOGSTATSD_URL"),
            ("REDIS_TIMEOUT_MS", "0", "REDIS_TIMEOUT_MS is 0"),
            ("SHUTDOWN_DEADLINE_MS", "soon", "SHUTDOWN_DEADLINE_MS is 'soon'"),
            ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud', which is none of trace"),
            ("REDIS_URL", "http://cache", "REDIS_URL is of no use"),
        ]
    )
    func refused(variable: String, value: String, message: String) throws {
        let error = #expect(throws: SettingsError.self) { try settings([variable: value]) }
        #expect(error?.problems.count == 1)
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test("What is nonsense of the pool's own is left to the pool to refuse, and does not trap")
    func nonsense() throws {
        for (variable, value) in [("POOL_MAX_SIZE", "0"), ("POOL_MAX_SIZE", "\(Int.max)"), ("POOL_BURST_LIMIT", "7")] {
            let settings = try settings([variable: value])
            let error = #expect(throws: ConnectionPoolError.self) {
                _ = try LinkService(settings: settings, metrics: ScrapedMetrics(), logger: Logger(label: "test"))
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(value) == true, "\(error?.message ?? "")")
        }
    }

    @Test("All that is wrong is told at once")
    func together() throws {
        let error = #expect(throws: SettingsError.self) {
            try settings(["PORT": "x", "POOL_MAX_SIZE": "x", "LOG_LEVEL": "loud"])
        }
        #expect(error?.problems.count == 3)
    }

    @Test("A password in a URL that is refused is not told")
    func secret() throws {
        let error = #expect(throws: SettingsError.self) { try settings(["REDIS_URL": "redis://:hush@cache:0/x"]) }
        #expect(error?.description.contains("hush") == false)
    }
}
