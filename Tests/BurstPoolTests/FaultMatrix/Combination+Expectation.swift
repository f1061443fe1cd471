/// How a call of `withConnection` ends.
enum CallerOutcome: Equatable, Sendable {
    case served
    /// With the error that the strategy threw.
    case strategyError
    case cancelled, timedOut, shutDown, connectTimedOut
    case other(String)
}

// What the documentation says: of `withConnection`, of `ConnectionStrategy`, and of the options.

extension Combination {
    /// Whether what happens ends the caller's wait there and then.
    var endsWait: Bool {
        switch interruption {
        case .callerCancelled, .deadlinePassed, .drained, .aborted: stage.isWaiting
        case .nothing, .grown, .shrunk: false
        }
    }

    /// Whether the caller is told of the fault, and so at once.
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

    /// Whether something else may be faster than the error.
    private var mayBeServedFirst: Bool {
        switch expectedOutcome {
        // The attempt is cancelled, and the caller told; but it may succeed all the same.
        case .connectTimedOut: true
        // The connection is closed, and the oldest waiter told; but another one may be opened in its place for that one.
        case .cancelled: tellsCaller && stage.isWaiting && stage != .validating
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
            if interruption == .grown { return outcomeOfGrowing }
            // There are more than maxSize by now, and so it is closed when the caller returns it.
            if interruption == .shrunk, fault.closeFails { return .strategyError }
            return outcomeOfReturn
        case .validating: return outcomeOfReturn
        // The place is free when the close has ended, and a connection is opened for the caller; unless it is not free, for
        // there are as many as there may be without it: then the caller is served by what comes back.
        case .closing: return interruption == .shrunk ? outcomeOfReturn : outcomeOfOpening
        // "An error reaches the caller of `withConnection` whose return led to the close." One that has not ended when
        // its time is up is nobody's; and that the caller is cancelled then is no matter.
        case .shrinking: return fault.closeFails ? .strategyError : .served
        }
    }

    private var outcomeTakingIdle: CallerOutcome {
        guard fault.call == .connectionIsClosed, fault.behaviour != .succeeds else {
            // It has the connection in hand, whatever happens, and its return closes it after a shutdown.
            let isClosedByReturn = interruption == .drained || interruption == .aborted
            return isClosedByReturn && fault.closeFails ? .strategyError : .served
        }
        // "The error is not shown to the caller, unless it is a `CancellationError`."
        if fault.behaviour == .failsAsCancelled { return .cancelled }
        // "The pool then closes it and finds another one", for which it has to wait: the time runs from then on.
        switch interruption {
        case .callerCancelled: return .cancelled
        case .drained, .aborted: return .shutDown
        case .nothing, .deadlinePassed, .grown, .shrunk: return .served
        }
    }

    /// One is opened for the caller, and nothing else is to be had until the time of that is up.
    private var outcomeOfOpening: CallerOutcome {
        guard fault.call == .makeConnection || fault.call == .prepareConnection else { return .served }
        switch fault.behaviour {
        // "The error reaches the caller on whose behalf the connection was being opened."
        case .fails: return .strategyError
        // The others come back before `connectTimeout`, and a caller is served by whichever comes first.
        case .succeeds, .slow, .neverReturns: return .served
        // The others come back after it.
        case .returnsAfterCancellation: return .connectTimedOut
        case .saysNo, .failsAsCancelled: return .other("no such fault")
        }
    }

    /// One more is opened for the caller, while another one is about to come back, or will later.
    private var outcomeOfGrowing: CallerOutcome {
        let opening = outcomeOfOpening
        return opening == .connectTimedOut && stage != .queued ? .served : opening
    }

    /// One comes back for the caller, in the end: whatever is wrong with it, another one is found.
    private var outcomeOfReturn: CallerOutcome {
        fault.behaviour == .failsAsCancelled ? .cancelled : .served
    }
}

extension Fault {
    fileprivate var closeFails: Bool { call == .closeConnection && behaviour == .fails }
}
