// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Lets one task wait for an outcome. The first outcome counts, and it may come before the wait.
@usableFromInline
final class OneShot: Sendable {
    enum Outcome: UInt {
        case done = 1
        case failed
        case timedOut
        case cancelled
    }

    /// 0, an outcome, or the continuation of the waiting task, which is an address and so greater than any outcome.
    private let state = Atomic<UInt>(0)

    /// Sets the outcome. Returns whether this call was the first.
    @discardableResult
    func fire(_ outcome: Outcome) -> Bool {
        var before = state.load(ordering: .acquiring)
        while Outcome(rawValue: before) == nil {
            let (exchanged, found) = state.compareExchange(
                expected: before,
                desired: outcome.rawValue,
                ordering: .acquiringAndReleasing
            )
            if exchanged {
                if before != 0 { Self.continuation(before).resume(returning: outcome) }
                return true
            }
            before = found
        }
        return false
    }

    func wait() async -> Outcome {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Outcome, Never>) in
            let bits = unsafeBitCast(continuation, to: UInt.self)
            let (waits, found) = state.compareExchange(expected: 0, desired: bits, ordering: .acquiringAndReleasing)
            if !waits { continuation.resume(returning: Outcome(rawValue: found) ?? .done) }
        }
    }

    /// Waits for the outcome. The cancellation of the task is an outcome, too.
    func waitUnlessCancelled() async -> Outcome {
        await withTaskCancellationHandler {
            await wait()
        } onCancel: {
            fire(.cancelled)
        }
    }

    private static func continuation(_ bits: UInt) -> UnsafeContinuation<Outcome, Never> {
        unsafeBitCast(bits, to: UnsafeContinuation<Outcome, Never>.self)
    }
}
