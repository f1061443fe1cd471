// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Logging

/// The kinds of log lines. Each kind has its own message, level and rate limit.
enum PoolLogKind: String, Sendable, CaseIterable {
    case openFailed = "A connection could not be opened"
    case openFailedAndIsRetried = "A connection could not be opened; the pool will try again"
    case acquireTimedOut = "An acquire timed out"
    case circuitOpen = "An acquire was rejected because the circuit breaker is open"
    case acquireFailed = "An acquire failed"
    case dropped = "The pool was dropped without a shutdown"
    case shutdownInsideBody =
        "The pool was shut down inside a body of withConnection, and did not wait for its connection"
    case shed = "An acquire was rejected because too many callers are waiting"
    case closeFailed = "Closing a connection failed"
    case closeTimedOut = "Closing a connection exceeded its timeout"
    case limitReached = "The pool is at its hard limit and callers are waiting"
    case leaseOverdue = "A lease is overdue; the connection may have leaked"
    case breakerOpened = "The circuit breaker opened; no connection is opened for now"
    case breakerHalfOpened = "The circuit breaker is half open; the pool makes one attempt"
    case breakerClosed = "The circuit breaker closed; connections can be opened again"
    case burstBegan = "A burst began; the pool has more connections than maxSize"
    case burstEnded = "The burst ended; the pool has no more connections than maxSize"
    case overdueLeaseReturned = "An overdue lease was released"
    case opened = "A connection was opened"
    case closed = "A connection was closed"

    /// Returns `nil` for an event that is not logged, or that another event already covers.
    init?(_ event: ConnectionPoolEvent) {
        switch event {
        case .opened: self = .opened
        case .openFailed(_, _, let willRetry, _): self = willRetry ? .openFailedAndIsRetried : .openFailed
        case .closed(_, let error): self = error == nil ? .closed : .closeFailed
        case .closeTimedOut: self = .closeTimedOut
        case .acquireFailed(let error, _, _):
            // Errors of the strategy are logged as `openFailed`. Cancellation and shutdown are not failures of the pool.
            switch (error as? ConnectionPoolError)?.code {
            case .acquireTimedOut: self = .acquireTimedOut
            case .circuitOpen: self = .circuitOpen
            case .overloaded, .tooManyWaiters: self = .shed
            case .nestedAcquire, .outOfMemory: self = .acquireFailed
            default: return nil
            }
        case .burstBegan: self = .burstBegan
        case .burstEnded: self = .burstEnded
        case .limitReached: self = .limitReached
        case .breakerChanged(.open): self = .breakerOpened
        case .breakerChanged(.halfOpen): self = .breakerHalfOpened
        case .breakerChanged(.closed): self = .breakerClosed
        case .leaseOverdue: self = .leaseOverdue
        case .overdueLeaseReturned: self = .overdueLeaseReturned
        case .dropped: self = .dropped
        case .shutdownInsideBody: self = .shutdownInsideBody
        default: return nil
        }
    }

    var level: Logger.Level {
        switch self {
        case .openFailed, .breakerOpened: .error
        case .openFailedAndIsRetried, .acquireTimedOut, .circuitOpen, .shed, .acquireFailed, .closeFailed,
            .closeTimedOut, .limitReached, .leaseOverdue, .dropped, .shutdownInsideBody:
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
        case .burstBegan(let total, let maxSize), .burstEnded(let total, let maxSize):
            ["total": .stringConvertible(total), "max_size": .stringConvertible(maxSize)]
        case .limitReached(let total): ["total": .stringConvertible(total)]
        case .shutdownInsideBody(let connections): ["connections": .stringConvertible(connections)]
        case .dropped(let statistics): ["total": .stringConvertible(statistics.total)]
        case .leaseOverdue(let location, let age), .overdueLeaseReturned(let location, let age):
            ["acquired_at": .stringConvertible(location), "duration_ms": .duration(age)]
        default: [:]
        }
    }
}

extension Logger.MetadataValue {
    fileprivate static func duration(_ duration: Duration) -> Logger.MetadataValue {
        .stringConvertible(duration.milliseconds)
    }
}
