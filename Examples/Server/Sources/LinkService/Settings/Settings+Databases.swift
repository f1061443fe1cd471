// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import BurstPoolRedis

extension Settings {
    private static let timeouts = Duration.milliseconds(1)...(.seconds(600))

    /// Reads which Redis servers store the links, unless PostgreSQL does.
    mutating func readRedis(_ reader: inout SettingsReader) {
        let timeout = reader.duration("redis_timeout", in: Self.timeouts)
        redis = Self.redis("redis_url", timeout, &reader) ?? Self.with(timeout, redis)
        replica = Self.redis("redis_replica_url", timeout, &reader)
        switch reader.text("redis_reads") {
        case nil, "shared": sharesReads = true
        case "exclusive": sharesReads = false
        case .some(let text): reader.complain("redis_reads", "is '\(text)', but must be shared or exclusive.")
        }
    }

    /// Reads the URL of PostgreSQL, which makes PostgreSQL store the links.
    mutating func readPostgres(_ reader: inout SettingsReader) {
        let timeout = reader.duration("postgres_timeout", in: Self.timeouts)
        // As secret as the URL of Redis.
        guard let url = reader.text("postgres_url", isSecret: true) else {
            if timeout != nil { warnings.append("POSTGRES_TIMEOUT has no effect without POSTGRES_URL.") }
            return
        }
        do {
            let configuration = try PostgresConfiguration(url: url)
            var result = Self.withDefaultTimeouts(configuration)
            if url.contains("connect_timeout") { result.connectTimeout = configuration.connectTimeout }
            if let timeout {
                result.connectTimeout = timeout
                result.queryTimeout = timeout
                result.cancellationTimeout = timeout
            }
            postgres = result
        } catch let error as PostgresError {
            reader.complain("postgres_url", "cannot be used: \(error.message)")
        } catch {
            reader.complain("postgres_url", "cannot be used: \(error)")
        }
        for (variable, _) in reader.found where ["REDIS_URL", "REDIS_REPLICA_URL"].contains(variable) {
            reader.complain("\(variable) and POSTGRES_URL are both set, but only one database stores the links.")
        }
        for (variable, _) in reader.found where ["REDIS_TIMEOUT", "REDIS_READS"].contains(variable) {
            warnings.append("\(variable) has no effect with POSTGRES_URL.")
        }
    }

    /// Reads the URL of a Redis server.
    ///
    /// - Parameter timeout: The value of `REDIS_TIMEOUT`, which takes precedence over the URL. Without it, the default
    ///   timeouts of the service apply only if the URL has none.
    private static func redis(
        _ key: String,
        _ timeout: Duration?,
        _ reader: inout SettingsReader
    ) -> RedisConfiguration? {
        // The URL may contain a password, so neither the log nor an error may contain the URL.
        guard let url = reader.text(key, isSecret: true) else { return nil }
        do {
            let configuration = try RedisConfiguration(url: url)
            var result = withDefaultTimeouts(configuration)
            // The options for time limits in URLs all end in "timeout".
            if url.contains("timeout=") {
                result.connectTimeout = configuration.connectTimeout
                result.commandTimeout = configuration.commandTimeout
            }
            return with(timeout, result)
        } catch let error as RedisError {
            reader.complain(key, "cannot be used: \(error.message)")
        } catch {
            reader.complain(key, "cannot be used: \(error)")
        }
        return nil
    }

    private static func with(_ timeout: Duration?, _ configuration: RedisConfiguration) -> RedisConfiguration {
        guard let timeout else { return configuration }
        var configuration = configuration
        configuration.connectTimeout = timeout
        configuration.commandTimeout = timeout
        return configuration
    }
}
