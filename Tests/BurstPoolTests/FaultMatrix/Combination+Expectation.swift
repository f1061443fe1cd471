// SPDX-License-Identifier: Apache-2.0

/// How a call of `withConnection` ends.
enum CallerOutcome: Equatable, Sendable {
    case served
    /// With the error that the strategy threw.
    case strategyError
    case cancelled, timedOut, shutDown, connectTimedOut
    case other(String)
}

// The expectations follow the documentation of `withConnection`, of `ConnectionStrategy`, and of the options.

extension Combination {
    /// Whether the interruption ends the caller's wait immediately.
    var endsWait: Bool {
        switch interruption {
        case .callerCancelled, .deadlinePassed, .drained, .aborted: stage.isWaiting
        case .nothing, .grown, .shrunk: false
        }
    }

    /// Whether the caller gets the fault's error, and therefore immediately.
    var tellsCaller: Bool {
        switch expectedOutcome {
        case .strategyError: true
        case .cancelled: interruption != .callerCancelled
        default: false
        }
    }

    func isExpected(_ outcome: CallerOutcome?) -> Bool {
        outcome == expectedOutcome || outcome == .served && mayBeServedFirst
    }

    /// Whether another outcome may come before the error.
    private var mayBeServedFirst: Bool {
        switch expectedOutcome {
        // The attempt is cancelled and the caller gets an error, but the attempt may still succeed.
        case .connectTimedOut: true
        // The connection is closed and the oldest waiter gets the error. But another connection may be opened for that
        // waiter.
        case .cancelled: tellsCaller && stage.isWaiting && stage != .validating
        // A caller that is cancelled does not wait for the close and its error.
        case .strategyError: stage == .shrinking && interruption == .callerCancelled
        default: false
        }
    }

    var expectedOutcome: CallerOutcome {
        if stage.isWaiting {
            switch interruption {
            case .callerCancelled: return .cancelled
            case .deadlinePassed: return .timedOut
            case .drained, .aborted: return .shutDown
            case .nothing, .grown, .shrunk: break
            }
        }
        switch stage {
        case .takingIdle: return outcomeTakingIdle
        case .opening: return outcomeOfOpening
        case .queued, .resetting: return interruption == .grown ? outcomeOfGrowing : outcomeOfReturn
        case .beingHandedOver:
            // If the limit was lowered, the pool closes this connection, and the next one that is released serves the caller.
            return interruption == .grown ? outcomeOfGrowing : outcomeOfReturn
        case .validating: return outcomeOfReturn
        // The slot is free when the close has ended, and a connection is opened for the caller. But after the limit
        // was lowered no slot is free, and then a released connection serves the caller.
        case .closing: return interruption == .shrunk ? outcomeOfReturn : outcomeOfOpening
        // "An error reaches the caller of `withConnection` whose return led to the close." If the close exceeds its
        // time limit, its error is discarded, even if the caller is cancelled then.
        case .shrinking: return fault.closeFails ? .strategyError : .served
        }
    }

    private var outcomeTakingIdle: CallerOutcome {
        guard fault.call == .connectionIsClosed, fault.behaviour != .succeeds else {
            // The caller has a connection, whatever happens, and releasing it after a shutdown closes it.
            let isClosedByReturn = interruption == .drained || interruption == .aborted
            return isClosedByReturn && fault.closeFails ? .strategyError : .served
        }
        // "The error is not shown to the caller, unless it is a `CancellationError`."
        if fault.behaviour == .failsAsCancelled { return .cancelled }
        // "The pool then closes it and finds another one". The caller has to wait for that one, and its timeout
        // counts.
        switch interruption {
        case .callerCancelled: return .cancelled
        case .drained, .aborted: return .shutDown
        case .nothing, .deadlinePassed, .grown, .shrunk: return .served
        }
    }

    /// A connection is opened for the caller, and no other one is available until the caller's timeout has passed.
    private var outcomeOfOpening: CallerOutcome {
        guard fault.call == .makeConnection || fault.call == .prepareConnection else { return .served }
        switch fault.behaviour {
        // "The error reaches the caller on whose behalf the connection was being opened."
        case .fails: return .strategyError
        // Other connections are released before `connectTimeout`. The caller gets the first connection that is
        // available.
        case .succeeds, .slow, .neverReturns: return .served
        // Other connections are released after `connectTimeout`.
        case .returnsAfterCancellation: return .connectTimedOut
        case .saysNo, .failsAsCancelled: return .other("no such fault")
        }
    }

    /// Another connection is opened for the caller, while one is released now or later.
    private var outcomeOfGrowing: CallerOutcome {
        let opening = outcomeOfOpening
        return opening == .connectTimedOut && stage != .queued ? .served : opening
    }

    /// In the end a connection is released for the caller. If something is wrong with it, the pool finds another one.
    private var outcomeOfReturn: CallerOutcome {
        fault.behaviour == .failsAsCancelled ? .cancelled : .served
    }
}

extension Fault {
    fileprivate var closeFails: Bool { call == .closeConnection && behaviour == .fails }
}
