/// Where an acquire is when something happens.
enum Stage: CaseIterable, Sendable {
    /// A connection is idle, and is just being asked whether it is closed.
    case takingIdle
    /// None is idle, and one is being opened.
    case opening
    /// As many as there may be are out.
    case queued
    /// One has come back, and is just being asked whether it is closed.
    case beingHandedOver
    /// The one that was idle is stale.
    case validating
    /// The one that is waited for has come back, and is being reset.
    case resetting
    /// The one whose place is waited for is being closed.
    case closing
    /// The caller has returned its connection, which is excess, and waits for it to be closed.
    case shrinking
}

/// What happens then.
enum Interruption: CaseIterable, Sendable {
    case nothing, callerCancelled, deadlinePassed, grown, shrunk, drained, aborted
}

/// One cell of the matrix.
struct Combination: Sendable, CustomStringConvertible {
    let stage: Stage
    let interruption: Interruption
    let fault: Fault

    var description: String { "\(fault), \(stage), \(interruption)" }

    static let all = Stage.allCases.flatMap { stage in
        Interruption.allCases.flatMap { interruption in
            Fault.all.map { Combination(stage: stage, interruption: interruption, fault: $0) }
        }
    }
}

extension Stage {
    /// The call that the stage stands still in.
    var standsIn: StrategyCall? {
        switch self {
        case .opening: .makeConnection
        case .validating: .validateConnection
        case .resetting: .resetConnection
        case .closing, .shrinking: .closeConnection
        case .takingIdle, .queued, .beingHandedOver: nil
        }
    }

    /// Whether things happen within `connectionIsClosed`, for nothing else is between before and after.
    var isWithinCheck: Bool { self == .takingIdle || self == .beingHandedOver }

    /// Not where a reset would come between the return and what the stage is about.
    var resetsConnections: Bool { self != .beingHandedOver && self != .shrinking }

    /// Whether the caller is between asking for a connection and getting one, and not at it without suspending.
    var isWaiting: Bool { self != .takingIdle && self != .shrinking }
}
