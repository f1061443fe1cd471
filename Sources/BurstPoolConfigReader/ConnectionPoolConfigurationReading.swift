// SPDX-License-Identifier: Apache-2.0

public import BurstPool

/// A configuration that was read, and the values that were found.
public struct ConnectionPoolConfigurationReading: Sendable {
    /// A value that was found at a key.
    public struct Setting: Sendable, Hashable, CustomStringConvertible {
        /// The key, such as `connectRetry.cap`.
        public let key: String
        /// The value as text.
        public let value: String

        public var description: String { "\(key) = \(value)" }
    }

    /// The configuration.
    public let configuration: ConnectionPoolConfiguration
    /// The values that were found, in the order in which they were read. All other settings have their defaults.
    public let settings: [Setting]
    /// All keys that a configuration can have.
    public let knownKeys: [String]

    /// Returns the environment variables that look like settings of the pool and are none.
    ///
    /// ```swift
    /// for variable in reading.unknownVariables(in: ProcessInfo.processInfo.environment, prefix: "POOL_") {
    ///     logger.warning("\(variable)")
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - environment: The environment variables of the process.
    ///   - prefix: The prefix of the pool's variables, such as `POOL_` for a reader that is scoped to `pool`.
    public func unknownVariables(
        in environment: [String: String],
        prefix: String
    ) -> [UnknownEnvironmentVariable] {
        UnknownEnvironmentVariable.all(in: environment, prefix: prefix, known: knownKeys, owner: "pool")
    }
}

extension [ConnectionPoolConfigurationReading.Setting] {
    var lineForLog: String {
        isEmpty ? "no settings; all have their defaults" : map(\.description).joined(separator: ", ")
    }
}

extension ConnectionPoolConfigurationReading: CustomStringConvertible {
    /// The values that were found, for a line in the log.
    public var description: String {
        settings.lineForLog
    }
}
