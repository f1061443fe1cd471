// SPDX-License-Identifier: Apache-2.0

#if Fleet
    public import BurstPoolFleet

    /// The configuration of a fleet that was read, and the values that were found.
    public struct FleetConfigurationReading: Sendable {
        /// A value that was found at a key.
        public typealias Setting = ConnectionPoolConfigurationReading.Setting

        /// The configuration.
        public let configuration: FleetConfiguration
        /// The values that were found, in the order in which they were read. All other settings have their defaults.
        public let settings: [Setting]
        /// All keys that a configuration can have.
        public let knownKeys: [String]

        /// Returns the environment variables that look like settings of the fleet and are none.
        ///
        /// - Parameters:
        ///   - environment: The environment variables of the process.
        ///   - prefix: The prefix of the fleet's variables, such as `FLEET_` for a reader that is scoped to `fleet`.
        public func unknownVariables(
            in environment: [String: String],
            prefix: String
        ) -> [UnknownEnvironmentVariable] {
            UnknownEnvironmentVariable.all(in: environment, prefix: prefix, known: knownKeys, owner: "fleet")
        }
    }

    extension FleetConfigurationReading: CustomStringConvertible {
        /// The values that were found, for a line in the log.
        public var description: String { settings.lineForLog }
    }
#endif
