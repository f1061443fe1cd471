import BurstPool
import BurstPoolConfigReader
import BurstPoolDatadog
import BurstPoolRedis
import Configuration
import Logging

/// What can be chosen about the service.
public struct Settings: Sendable {
    /// The address to listen on.
    public var host = "127.0.0.1"

    /// The port to listen on; 0 lets the system choose.
    public var port = 8080

    /// What short links begin with, without a slash at the end; `nil`: the address that the request was sent to.
    public var publicURL: String?

    /// The server that keeps the links.
    public var redis = RedisConfiguration(host: "127.0.0.1")

    /// The pool's sizes, and for how long a request waits for a connection.
    public var pool = ConnectionPoolConfiguration(maxSize: 8, burstLimit: 32)

    /// Where Datadog's agent is told of the pool and the requests; `nil`: nowhere.
    public var datadog: DogStatsDConfiguration?

    /// How long the requests that have been accepted may take to end, once the service is told to stop.
    public var shutdownDeadline = Duration.seconds(10)

    /// What is written to the log, and all that is more important.
    public var logLevel = Logger.Level.info

    public init() {
        pool.acquireTimeout = .milliseconds(250)
        pool.burstLinger = Self.burstLinger
        // Nobody is told of an error in closing a connection but the log: the request was answered.
        pool.closeErrors = .reported
        redis.connectTimeout = .seconds(1)
        redis.commandTimeout = .seconds(1)
        redis.clientName = "link-server"
    }

    /// The settings in the environment, as ``help`` lists them.
    ///
    /// - Parameter provider: The environment. Something that is not in it has the default.
    /// - Throws: ``SettingsError`` with all that is wrong.
    public init(from provider: some ConfigProvider) throws(SettingsError) {
        self.init()
        var reader = SettingsReader(ConfigReader(providers: [provider, Self.poolDefaults]))
        host = reader.text("host") ?? host
        port = reader.number("port", in: 0...65535) ?? port
        if let text = reader.text("public_url") {
            do {
                publicURL = try LinkAddress(text).asBase
            } catch {
                reader.complain("public_url", "is '\(text)', but \(error.reason)")
            }
        }
        readRedis(&reader)
        readPool(&reader)
        readDatadog(&reader)
        shutdownDeadline = reader.milliseconds("shutdown_deadline_ms", in: 0...600_000) ?? shutdownDeadline
        if let text = reader.text("log_level") {
            if let level = Logger.Level(rawValue: text) {
                logLevel = level
            } else {
                let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                reader.complain("log_level", "is '\(text)', which is none of \(levels)")
            }
        }
        try reader.finish()
    }

    private mutating func readRedis(_ reader: inout SettingsReader) {
        let timeout = reader.milliseconds("redis_timeout_ms", in: 1...600_000) ?? redis.connectTimeout
        if let url = reader.text("redis_url", isSecret: true) {
            do {
                redis = try RedisConfiguration(url: url)
                // Not the URL, which may contain a password.
            } catch let error as RedisError {
                reader.complain("redis_url", "is of no use: \(error.message)")
            } catch {
                reader.complain("redis_url", "is of no use: \(error)")
            }
        }
        redis.connectTimeout = timeout
        redis.commandTimeout = timeout
        redis.clientName = redis.clientName ?? "link-server"
    }

    /// Under a load for which the pool has to burst, each moment without a caller would else close a connection, and the next
    /// caller would open one.
    private static let burstLinger = Duration.seconds(1)

    private static let poolDefaults = InMemoryProvider(
        name: "the service's defaults",
        values: ["pool.maxSize": 8, "pool.acquireTimeout": "250ms", "pool.closeErrors": "reported"]
    )

    private mutating func readPool(_ reader: inout SettingsReader) {
        do throws(ConnectionPoolConfigurationReadError) {
            pool = try ConnectionPoolConfiguration(reader: reader.config.scoped(to: "pool"))
        } catch {
            return reader.complain("pool.\(error.key)", "cannot be used: \(error.message)")
        }
        if reader.text("pool.burstLimit") == nil {
            let (product, isTooMuch) = pool.maxSize.multipliedReportingOverflow(by: 4)
            pool.burstLimit = isTooMuch ? .max : product
        }
        if pool.burstLimit != nil, reader.text("pool.burstLinger") == nil { pool.burstLinger = Self.burstLinger }
    }

    /// Only if one of the variables says where the agent is. A server without one would send into the void.
    private mutating func readDatadog(_ reader: inout SettingsReader) {
        guard reader.text("dd_dogstatsd_url") != nil || reader.text("dd_agent_host") != nil else { return }
        var environment: [String: String] = [:]
        for key in [
            "dd_dogstatsd_url", "dd_agent_host", "dd_dogstatsd_port", "dd_env", "dd_service", "dd_version", "dd_tags",
        ] {
            environment[SettingsReader.variable(key)] = reader.text(key)
        }
        do throws(DogStatsDError) {
            datadog = try DogStatsDConfiguration(environment: environment)
        } catch {
            // It names the variable.
            reader.complain(error.message)
        }
    }

    /// The settings, for somebody who has to set them.
    public static let help = """
        link-server: a URL shortener that keeps its links in Redis, through a BurstPool.

        Settings are variables of the environment:
          HOST                     address to listen on; 127.0.0.1
          PORT                     port to listen on, 0: any that is free; 8080
          PUBLIC_URL               what short links begin with; where the request was sent to
          REDIS_URL                redis://[[user]:password@]host[:port][/db], or unix:///path; redis://127.0.0.1:6379
          REDIS_TIMEOUT_MS         for connecting, and for a command; overrules the URL's options; 1000
          POOL_MAX_SIZE            connections to keep; 8
          POOL_BURST_LIMIT         connections there may be in a rush; 4 times POOL_MAX_SIZE
          POOL_ACQUIRE_TIMEOUT     for how long a request waits for a connection; 250ms
          POOL_BURST_LINGER        for how long connections above POOL_MAX_SIZE are kept while nobody needs them; 1s
          POOL_…                   every other option of the pool: POOL_IDLE_TIMEOUT=5m, POOL_MAX_CONCURRENT_CONNECTS=2
          DD_DOGSTATSD_URL         Datadog's agent: udp://host:port or unix:///path; also DD_AGENT_HOST and
                                   DD_DOGSTATSD_PORT, and DD_ENV, DD_SERVICE, DD_VERSION, DD_TAGS; nowhere
          SHUTDOWN_DEADLINE_MS     for how long accepted requests may go on after SIGTERM or SIGINT; 10000
          LOG_LEVEL                trace, debug, info, notice, warning, error or critical; info
        """
}
