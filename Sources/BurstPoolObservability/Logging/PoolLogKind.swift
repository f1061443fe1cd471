import BurstPool
import Logging

/// What is logged of a pool: each kind has its message, its level, and its limit.
enum PoolLogKind: String, Sendable, CaseIterable {
    case openFailed = "A connection did not open"
    case openFailedAndIsRetried = "A connection did not open, and it is tried again"
    case acquireTimedOut = "A caller waited in vain for a connection"
    case circuitOpen = "A caller was turned away, because connections do not open"
    case shed = "A caller was turned away, because too many wait"
    case closeFailed = "Closing a connection failed"
    case closeTimedOut = "Closing a connection takes too long"
    case limitReached = "There are as many connections as there may be, and callers wait"
    case leaseOverdue = "A connection has been in use for too long"
    case breakerOpened = "Connections do not open: no attempt is made for a while"
    case breakerHalfOpened = "One attempt is made to open a connection"
    case breakerClosed = "Connections open again"
    case burstBegan = "There are more connections than the soft limit"
    case burstEnded = "There are no more connections than the soft limit again"
    case overdueLeaseReturned = "A connection that was in use for too long has come back"
    case opened = "A connection was opened"
    case closed = "A connection was closed"

    /// `nil`: not worth a line, or another event tells the same.
    init?(_ event: ConnectionPoolEvent) {
        switch event {
        case .opened: self = .opened
        case .openFailed(_, _, let willRetry, _): self = willRetry ? .openFailedAndIsRetried : .openFailed
        case .closed(_, let error): self = error == nil ? .closed : .closeFailed
        case .closeTimedOut: self = .closeTimedOut
        case .acquireFailed(let error, _, _):
            // The others are told of as `shed` and `openFailed`, or are no failures: cancellation and shutdown.
            switch (error as? ConnectionPoolError)?.code {
            case .acquireTimedOut: self = .acquireTimedOut
            case .circuitOpen: self = .circuitOpen
            default: return nil
            }
        case .shed: self = .shed
        case .burstBegan: self = .burstBegan
        case .burstEnded: self = .burstEnded
        case .limitReached: self = .limitReached
        case .breakerChanged(.open): self = .breakerOpened
        case .breakerChanged(.halfOpen): self = .breakerHalfOpened
        case .breakerChanged(.closed): self = .breakerClosed
        case .leaseOverdue: self = .leaseOverdue
        case .overdueLeaseReturned: self = .overdueLeaseReturned
        default: return nil
        }
    }

    var level: Logger.Level {
        switch self {
        case .openFailed, .breakerOpened: .error
        case .openFailedAndIsRetried, .acquireTimedOut, .circuitOpen, .shed, .closeFailed, .closeTimedOut,
            .limitReached, .leaseOverdue:
            .warning
        case .breakerClosed, .burstBegan, .burstEnded, .overdueLeaseReturned: .notice
        case .breakerHalfOpened: .info
        case .opened, .closed: .debug
        }
    }
}

extension ConnectionPoolEvent {
    var logMetadata: Logger.Metadata {
        switch self {
        case .opened(let duration, _): ["duration_ms": .duration(duration)]
        case .openFailed(let error, let duration, _, _): ["error": "\(error)", "duration_ms": .duration(duration)]
        case .closed(let reason, nil): ["reason": .string(reason.rawValue)]
        case .closed(let reason, let error?): ["reason": .string(reason.rawValue), "error": "\(error)"]
        case .closeTimedOut(let reason): ["reason": .string(reason.rawValue)]
        case .acquireFailed(let error, let waited, _): ["error": "\(error)", "duration_ms": .duration(waited)]
        case .shed(let error): ["error": "\(error)"]
        case .burstBegan(let total, let maxSize), .burstEnded(let total, let maxSize):
            ["total": .stringConvertible(total), "max_size": .stringConvertible(maxSize)]
        case .limitReached(let total): ["total": .stringConvertible(total)]
        case .leaseOverdue(let place, let age), .overdueLeaseReturned(let place, let age):
            ["place": .stringConvertible(place), "duration_ms": .duration(age)]
        default: [:]
        }
    }
}

extension Logger.MetadataValue {
    fileprivate static func duration(_ duration: Duration) -> Logger.MetadataValue {
        .stringConvertible(duration.milliseconds)
    }
}
