// SPDX-License-Identifier: Apache-2.0

/// The reason why a process cannot be a member of a fleet.
///
/// A store that cannot be reached is not such a reason: the member goes on with what it may use, and tries again.
public struct FleetError: Error, Sendable {
    /// The kind of an error. Later versions can add kinds, so a `switch` needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        enum Kind: String, Sendable {
            case invalidConfiguration, differentSettings, fleetIsFull, alreadyRunning, unsuitableStore
        }

        let kind: Kind

        /// Settings are out of range or contradict each other, for example ``FleetSettings/floor`` × ``FleetSettings/processes``
        /// > ``FleetSettings/total``, or the pool does not accept the limits.
        public static let invalidConfiguration = Code(kind: .invalidConfiguration)
        /// The store keeps a fleet of this name with other settings.
        public static let differentSettings = Code(kind: .differentSettings)
        /// The budget has no room for the floor of this process, and ``FleetConfiguration/whenFull`` is `.fail`.
        public static let fleetIsFull = Code(kind: .fleetIsFull)
        /// ``FleetMember/run()`` was called a second time.
        public static let alreadyRunning = Code(kind: .alreadyRunning)
        /// The store has answered with something that this version does not understand.
        public static let unsuitableStore = Code(kind: .unsuitableStore)

        public var description: String { kind.rawValue }
    }

    /// The kind of the error.
    public let code: Code
    /// The ``FleetConfiguration/name`` of the fleet.
    public let fleet: String
    /// What happened, to what, and what to do about it, in English.
    public let message: String
    /// The error that led to this one, or `nil`.
    public let underlyingError: (any Error)?

    init(_ code: Code, fleet: String, message: String, underlyingError: (any Error)? = nil) {
        self.code = code
        self.fleet = fleet
        self.message = message
        self.underlyingError = underlyingError
    }

    static func differentSettings(_ fleet: String, ours: FleetSettings, theirs: FleetSettings) -> FleetError {
        FleetError(
            .differentSettings,
            fleet: fleet,
            message: """
                The store keeps a fleet of this name with other settings: it has \(theirs), and this process has \(ours). Give all \
                processes the same settings, or this budget another name.
                """
        )
    }

    static func fleetIsFull(_ fleet: String, _ settings: FleetSettings, _ state: FleetState) -> FleetError {
        FleetError(
            .fleetIsFull,
            fleet: fleet,
            message: """
                The budget of \(settings.total) connections has no room for the floor of \(settings.floor) of one more process: there are \
                \(state.members) members, and shares of \(state.drawn) connections are drawn. Raise total, lower floor, or wait until \
                a member has left.
                """
        )
    }
}

extension FleetError: CustomStringConvertible {
    public var description: String { "\(code) in fleet \"\(fleet)\": \(message)" }
}

extension FleetSettings: CustomStringConvertible {
    public var description: String {
        """
        total \(total), floor \(floor), \(processes) processes, term \(term), member term \(memberTerm), grace \(grace)
        """
    }
}
