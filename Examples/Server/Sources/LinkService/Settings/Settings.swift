import BurstPool
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

    /// How long the requests that have been accepted may take to end, once the service is told to stop.
    public var shutdownDeadline = Duration.seconds(10)

    /// What is written to the log, and all that is more important.
    public var logLevel = Logger.Level.info

    public init() {
        pool.acquireTimeout = .milliseconds(250)
        redis.connectTimeout = .seconds(1)
        redis.commandTimeout = .seconds(1)
        redis.clientName = "link-server"
    }

    /// The settings in the environment, as ``help`` lists them.
    ///
    /// - Throws: ``SettingsError`` with all that is wrong.
    public init(from config: ConfigReader) throws(SettingsError) {
        self.init()
        var reader = SettingsReader(config)
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

    private mutating func readPool(_ reader: inout SettingsReader) {
        // More than a Redis server takes.
        let sizes = 1...100_000
        pool.maxSize = reader.number("pool_max_size", in: sizes) ?? pool.maxSize
        let burstLimit = reader.number("pool_burst_limit", in: sizes) ?? pool.maxSize * 4
        pool.burstLimit = burstLimit
        if burstLimit < pool.maxSize {
            reader.complain("pool_burst_limit", "is \(burstLimit), which is below POOL_MAX_SIZE, \(pool.maxSize)")
        }
        if let connects = reader.number("pool_max_concurrent_connects", in: sizes) {
            pool.maxConcurrentConnects = connects
        }
        pool.acquireTimeout = reader.milliseconds("pool_acquire_timeout_ms", in: 0...600_000) ?? pool.acquireTimeout
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
          POOL_MAX_CONCURRENT_CONNECTS
                                   connections that may be opened at the same time; as many as are wanted
          POOL_ACQUIRE_TIMEOUT_MS  for how long a request waits for a connection; 250
          SHUTDOWN_DEADLINE_MS     for how long accepted requests may go on after SIGTERM or SIGINT; 10000
          LOG_LEVEL                trace, debug, info, notice, warning, error or critical; info
        """
}
