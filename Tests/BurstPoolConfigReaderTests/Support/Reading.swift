// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolConfigReader
import Configuration

/// Reads a configuration from values in memory.
func read(_ values: [AbsoluteConfigKey: ConfigValue]) throws -> ConnectionPoolConfiguration {
    try ConnectionPoolConfiguration(reader: ConfigReader(provider: InMemoryProvider(values: values)))
}

/// Reads a configuration with a `maxSize` of 7 and one more value.
func read(_ key: String, _ value: ConfigValue) throws -> ConnectionPoolConfiguration {
    try read(["maxSize": 7].merging([AbsoluteConfigKey(ConfigKey(key)): value]) { $1 })
}

/// Reads a configuration from environment variables that start with `POOL_`.
func reading(environment: [String: String]) throws -> ConnectionPoolConfigurationReading {
    let provider = EnvironmentVariablesProvider(environmentVariables: environment)
    return try ConnectionPoolConfiguration.read(from: ConfigReader(provider: provider).scoped(to: "pool"))
}
