import Synchronization

/// Lets one task wait until it is told an outcome. The first one counts; it may come before the wait.
final class OneShot: Sendable {
    enum Outcome: UInt {
        case done = 1
        case failed
        case timedOut
        case cancelled
        /// Nobody waits.
        case abandoned
    }

    /// 0, an outcome, or the continuation of the task that waits, which is an address.
    private let state = Atomic<UInt>(0)

    /// - Returns: Whether it was the first.
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

    /// Waits, until the task is cancelled at the latest.
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
