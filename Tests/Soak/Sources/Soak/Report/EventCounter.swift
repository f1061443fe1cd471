// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// Counts the pool's events by their names.
struct EventCounter: ConnectionPoolObserver {
    static let opened = "pool: opened"
    static let closed = "pool: closed, "

    let tally: Tally

    func connectionPool(_ event: ConnectionPoolEvent) {
        switch event {
        case .opened: tally.count(Self.opened)
        case .openFailed: tally.count("pool: failed to open")
        case .closed(let reason, _): tally.count("\(Self.closed)\(reason)")
        case .closeTimedOut: tally.count("pool: close timed out")
        case .acquireFailed(let error as ConnectionPoolError, _, _)
        where error.code == .overloaded || error.code == .tooManyWaiters:
            tally.count("pool: rejected")
        case .breakerChanged(.open): tally.count("pool: breaker opened")
        case .leaseOverdue: tally.count("pool: lease overdue")
        default: break
        }
    }
}
