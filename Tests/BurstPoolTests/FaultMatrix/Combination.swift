// SPDX-License-Identifier: Apache-2.0

/// The stage of an acquire at which the interruption happens.
enum Stage: CaseIterable, Sendable {
    /// The pool is asking an idle connection whether it is closed.
    case takingIdle
    /// No connection is idle, and one is being opened.
    case opening
    /// All connections that the limits allow are in use.
    case queued
    /// A connection was released, and the pool is asking it whether it is closed.
    case beingHandedOver
    /// The idle connection is stale and is being validated.
    case validating
    /// The connection that the caller waits for was released, and is being reset.
    case resetting
    /// The connection whose slot the caller waits for is closing.
    case closing
    /// The caller has released an excess connection, and waits for its close.
    case shrinking
}

/// What happens at that stage.
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
    /// The call of the strategy that blocks at this stage.
    var standsIn: StrategyCall? {
        switch self {
        case .opening: .makeConnection
        case .validating: .validateConnection
        case .resetting: .resetConnection
        case .closing, .shrinking: .closeConnection
        case .takingIdle, .queued, .beingHandedOver: nil
        }
    }

    /// Whether the interruption happens within `connectionIsClosed`, because there is no other moment at which it can.
    var isWithinCheck: Bool { self == .takingIdle || self == .beingHandedOver }

    /// False where a reset would come between the release and the subject of the stage.
    var resetsConnections: Bool { self != .beingHandedOver && self != .shrinking }

    /// Whether the caller is between asking for a connection and getting one, and suspended.
    var isWaiting: Bool { self != .takingIdle && self != .shrinking }
}
