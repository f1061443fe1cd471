// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolConfigReader
import BurstPoolDatadog
import Configuration
import Logging

extension Settings {
    /// Reads the settings from environment variables, as ``help`` lists them.
    ///
    /// - Parameter environment: The environment variables. A setting without a variable has its default.
    /// - Throws: ``SettingsError`` with all problems.
    public init(environment: [String: String]) throws(SettingsError) {
        self.init()
        let provider = EnvironmentVariablesProvider(environmentVariables: environment)
        var reader = SettingsReader(ConfigReader(provider: provider))
        host = reader.text("host") ?? host
        port = reader.number("port", in: 0...65535) ?? port
        readPublicURL(&reader)
        readRedis(&reader)
        readPostgres(&reader)
        readPool(&reader, environment)
        readDatadog(&reader)
        shutdownDeadline = reader.duration("shutdown_deadline", in: .zero...(.seconds(600))) ?? shutdownDeadline
        if let text = reader.text("log_level") {
            if let level = Logger.Level(rawValue: text) {
                logLevel = level
            } else {
                let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                reader.complain("log_level", "is '\(text)', but must be one of \(levels).")
            }
        }
        try reader.finish()
        if !reader.found.isEmpty {
            summary = reader.found.map { "\($0.variable)=\($0.value)" }.joined(separator: " ")
        }
    }

    private mutating func readPublicURL(_ reader: inout SettingsReader) {
        guard let text = reader.text("public_url") else { return }
        do {
            publicURL = try LinkAddress(text).asBase
        } catch {
            reader.complain("public_url", "is '\(text)', but \(error.reason).")
        }
    }

    private mutating func readPool(_ reader: inout SettingsReader, _ environment: [String: String]) {
        let name = postgres == nil ? pool.name : "postgres"
        do throws(ConnectionPoolConfigurationReadError) {
            let reading = try ConnectionPoolConfiguration.read(
                from: reader.config.scoped(to: "pool"),
                defaultMaxSize: pool.maxSize,
                defaults: { Self.poolDefaults(maxSize: $0, name: name) }
            )
            pool = reading.configuration
            // A pool without a burst has no excess connections, and refuses to let them linger.
            if pool.burstLimit == nil, reading.settings.allSatisfy({ $0.key != "burstLinger" }) {
                pool.burstLinger = nil
            }
            for setting in reading.settings { reader.note("pool.\(setting.key)", setting.value) }
            warnings += reading.unknownVariables(in: environment, prefix: "POOL_").map(\.description)
        } catch {
            reader.complain("pool.\(error.key)", "cannot be used: \(error.message)")
        }
    }

    /// Configures Datadog only if a variable has the address of an agent.
    private mutating func readDatadog(_ reader: inout SettingsReader) {
        let addresses = ["dd_dogstatsd_url", "dd_agent_host"]
        guard addresses.contains(where: { reader.config.string(forKey: ConfigKey($0)) != nil }) else { return }
        var environment: [String: String] = [:]
        for key in addresses + ["dd_dogstatsd_port", "dd_env", "dd_service", "dd_version", "dd_tags"] {
            environment[SettingsReader.variable(key)] = reader.text(key)
        }
        do throws(DogStatsDError) {
            datadog = try DogStatsDConfiguration(environment: environment)
        } catch {
            // The message names the variable.
            reader.complain(error.message)
        }
    }

    /// The list of settings for `--help`.
    public static let help = """
        link-server: a URL shortener that stores its links in Redis or PostgreSQL, and uses BurstPool for its
        connections.

        The settings are environment variables. Durations need a unit, for example 250ms, 1.5s or 5m.
          HOST                     The address to listen on. Default: 127.0.0.1
          PORT                     The port to listen on; 0 selects a free port. Default: 8080
          PUBLIC_URL               The beginning of short links. Default: the address of the request
          REDIS_URL                redis://[[user]:password@]host[:port][/db] or unix:///path.
                                   Default: redis://127.0.0.1:6379
          REDIS_REPLICA_URL        A replica from which links are read, with a pool of its own. Default: none
          REDIS_READS              shared: many requests that read links share a connection, in a pool of its own.
                                   exclusive: a connection belongs to one request at a time. Default: shared
          REDIS_TIMEOUT            The time limit of connecting and of commands. Default: the URL's, or 1s
          POSTGRES_URL             postgresql://[user[:password]@][host][:port][/database][?parameter=value], or any other
                                   connection string of libpq. Links are then stored in PostgreSQL. Default: none
          POSTGRES_TIMEOUT         The time limit of connecting and of statements. Default: 1s, or the URL's for connecting
          POOL_MAX_SIZE            The number of connections that each pool keeps. Default: 8
          POOL_BURST_LIMIT         The largest number of connections of each pool during a burst. Default: 4 times
                                   POOL_MAX_SIZE
          POOL_ACQUIRE_TIMEOUT     How long a request waits for a connection. Default: 250ms
          POOL_BURST_LINGER        How long idle connections above POOL_MAX_SIZE are kept. Default: 1s
          POOL_…                   Every other setting of the pool, such as POOL_IDLE_TIMEOUT=5m or
                                   POOL_CONNECT_RETRY=true
          DD_DOGSTATSD_URL         The Datadog agent: udp://host:port or unix:///path. DD_AGENT_HOST, DD_DOGSTATSD_PORT,
                                   DD_ENV, DD_SERVICE, DD_VERSION and DD_TAGS work as well. Default: no agent
          SHUTDOWN_DEADLINE        How long accepted requests may continue after SIGTERM or SIGINT. Default: 10s
          LOG_LEVEL                trace, debug, info, notice, warning, error or critical. Default: info
        """
}
