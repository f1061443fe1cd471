// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One call of the strategy that has a time limit: an open, a close, a validation or a reset.
///
/// Either the call ends in time or the limit passes first. Exactly one of the two counts.
final class TimedOperation: Sendable {
    /// The moment at which the limit passes; `UInt64.max` if there is no limit.
    let deadline: UInt64
    private let claim = Claim()
    private let limitPassed: @Sendable () -> Void

    init(deadline: UInt64, limitPassed: @escaping @Sendable () -> Void) {
        self.deadline = deadline
        self.limitPassed = limitPassed
    }

    fileprivate var hasEnded: Bool { claim.hasBeenTaken }

    /// Notes that the call has ended. Returns whether that was in time.
    fileprivate func end() -> Bool { claim.take() }

    fileprivate func expire() {
        if claim.take() { limitPassed() }
    }
}

/// The timed operations of a pool, at most one in each slot, so that one which has ended leaves nothing behind.
@usableFromInline
final class OperationTimer: Sendable {
    /// No operation expires before this moment.
    private let earliest = EarliestMoment()

    /// The moment at which ``expire(now:in:)`` has something to do.
    var nextMoment: UInt64 { earliest.value }

    /// Begins to watch an operation. The caller then asks the alarm clock to ring at its deadline.
    func begin(_ operation: TimedOperation, in box: borrowing ExchangeBox<TimedOperation>) {
        guard operation.deadline != .max else { return }
        box.put(operation)
        // After the operation is in its slot: expire(now:in:) resets the moment before it looks at the slots.
        earliest.lower(to: operation.deadline)
    }

    /// Ends an operation. Returns whether that was in time.
    func end(_ operation: TimedOperation, in box: borrowing ExchangeBox<TimedOperation>) -> Bool {
        guard operation.end() else { return false }
        if operation.deadline != .max { box.remove(operation) }
        return true
    }

    /// Expires the operations whose limit has passed. O(slots) if the earliest deadline has come, else O(1).
    func expire(now: UInt64, visitSlots: ((borrowing ExchangeBox<TimedOperation>) -> Void) -> Void) {
        guard nextMoment <= now else { return }
        // Reset first: an operation that begins from here on lowers the moment again.
        earliest.reset()
        var expired: [TimedOperation] = []
        visitSlots { box in
            guard let operation = box.take() else { return }
            if operation.deadline <= now {
                expired.append(operation)
            } else {
                earliest.lower(to: operation.deadline)
                _ = box.putIfEmpty(operation)
                // It may have ended while it was out of its box, and then did not remove itself.
                if operation.hasEnded { box.remove(operation) }
            }
        }
        for operation in expired { operation.expire() }
    }
}
