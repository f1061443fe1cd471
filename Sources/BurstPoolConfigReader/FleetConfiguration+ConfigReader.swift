// SPDX-License-Identifier: Apache-2.0

#if Fleet
    public import BurstPoolFleet
    public import Configuration

    extension FleetConfiguration {
        /// Reads the configuration of a fleet with swift-configuration: from environment variables, files or command-line arguments.
        ///
        /// ```swift
        /// let reader = ConfigReader(provider: EnvironmentVariablesProvider())
        /// let configuration = try FleetConfiguration(reader: reader.scoped(to: "fleet"))
        /// // FLEET_NAME=shop-db FLEET_TOTAL=80 FLEET_FLOOR=2 FLEET_PROCESSES=20 FLEET_TERM=10s
        /// ```
        ///
        /// The keys are the names of the properties of ``/BurstPoolFleet/FleetConfiguration`` and
        /// ``/BurstPoolFleet/FleetSettings``. `name`, `total`, `floor` and `processes` are required. A setting without a value has
        /// its default; use ``read(from:defaults:)`` for other defaults, for the list of the values that were found, and for warnings
        /// about misspelt environment variables.
        ///
        /// - Durations are a number with a unit: ns, us, ms, s, m, h or d. Examples are `250ms`, `1.5s` and `5m`. A number without
        ///   a unit is an error.
        /// - `none` sets `maximumShare` to `nil`.
        /// - `whenFull` is `wait` or `fail`, and `whenMembershipEnds` is `suspend` or `keepFloor`, in upper or lower case.
        ///
        /// The clock cannot be read, and neither is the address of the store, because it can contain a password. The member that is
        /// created with the configuration checks that the values fit together.
        ///
        /// - Parameter reader: A reader that is scoped to the fleet's keys.
        /// - Throws: ``ConnectionPoolConfigurationReadError``, which names the key and the value.
        public init(reader: ConfigReader) throws(ConnectionPoolConfigurationReadError) {
            self = try Self.read(from: reader).configuration
        }

        /// Reads the configuration of a fleet, and reports which values were found.
        ///
        /// See ``init(reader:)`` for the keys and the format of values.
        ///
        /// - Parameters:
        ///   - reader: A reader that is scoped to the fleet's keys.
        ///   - defaults: The configuration whose settings apply where the reader has no value. Default: `nil`, which means that
        ///     `name`, `total`, `floor` and `processes` are required.
        /// - Throws: ``ConnectionPoolConfigurationReadError``, which names the key and the value.
        public static func read(
            from reader: ConfigReader,
            defaults: FleetConfiguration? = nil
        ) throws(ConnectionPoolConfigurationReadError) -> FleetConfigurationReading {
            let keys = ReadKeys()
            let fields = FieldReader(reader, keys)
            func required<Value>(_ key: String, _ parser: Parser<Value>, _ standard: Value?) throws(ReadError) -> Value
            {
                guard let value = try fields.value(key, parser) ?? standard else { throw .missing(key) }
                return value
            }
            let name = try required("name", .text, defaults?.name)
            let total = try required("total", .integer, defaults?.settings.total)
            let floor = try required("floor", .integer, defaults?.settings.floor)
            let processes = try required("processes", .integer, defaults?.settings.processes)
            var configuration =
                defaults
                ?? FleetConfiguration(name: name, settings: .init(total: total, floor: floor, processes: processes))
            configuration.name = name
            configuration.settings.total = total
            configuration.settings.floor = floor
            configuration.settings.processes = processes
            try configuration.readTerms(fields)
            try configuration.readBehavior(fields)
            return FleetConfigurationReading(
                configuration: configuration,
                settings: keys.settings,
                knownKeys: keys.known
            )
        }

        private mutating func readTerms(_ fields: FieldReader) throws(ReadError) {
            try fields.read("term", into: &settings.term, .duration)
            try fields.read("memberTerm", into: &settings.memberTerm, .duration)
            try fields.read("grace", into: &settings.grace, .duration)
        }

        private mutating func readBehavior(_ fields: FieldReader) throws(ReadError) {
            try fields.read("chunk", into: &chunk, .integer)
            try fields.readOptional("maximumShare", into: &maximumShare, .integer)
            try fields.read("releaseAfter", into: &releaseAfter, .duration)
            try fields.read("lookInterval", into: &lookInterval, .duration)
            try fields.read("whenFull", into: &whenFull, .choice([("wait", .wait), ("fail", .fail)]))
            try fields.read(
                "whenMembershipEnds",
                into: &whenMembershipEnds,
                .choice([("suspend", .suspend), ("keepFloor", .keepFloor)])
            )
        }
    }

    extension Parser {
        /// One of several names, in upper or lower case.
        fileprivate static func choice(_ choices: [(name: String, value: Value)]) -> Self {
            Self { content throws(Expected) in
                if case .text(let text) = content {
                    let name = text.trimmingSpaces.lowercased()
                    if let choice = choices.first(where: { $0.name.lowercased() == name }) { return choice.value }
                }
                throw Expected(choices.map(\.name).joined(separator: " or "))
            }
        }
    }
#endif
