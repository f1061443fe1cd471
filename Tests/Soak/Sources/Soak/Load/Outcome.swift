// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// The outcomes that a visit may have.
enum Outcome {
    static let rightReplies = "right replies"
    static let spoiledReplies = "replies that are visibly spoiled"
    static let detached = "connections detached"
    static let protocolErrors = "error: protocolError"
    static let refusedCommands = "error: the server refused a spoiled command"

    /// Returns the outcome for an error, or `nil` if the error must not occur.
    static func name(
        of error: any Error,
        from backend: (some Backend).Type,
        wasCancelled: Bool,
        isEnding: Bool
    ) -> String? {
        switch error {
        case is Visit.SpoiledReply: spoiledReplies
        case is CancellationError: wasCancelled ? "cancelled" : nil
        case let error as ConnectionPoolError: name(of: error, isEnding: isEnding)
        default: backend.outcome(of: error)
        }
    }

    private static func name(of error: ConnectionPoolError, isEnding: Bool) -> String? {
        switch error.code {
        case .acquireTimedOut, .tooManyWaiters, .overloaded, .connectTimedOut, .circuitOpen: "pool error: \(error.code)"
        case .poolShutDown: isEnding ? "pool error: \(error.code)" : nil
        default: nil
        }
    }
}
