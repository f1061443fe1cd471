import Synchronization

/// For how long a caller will wait.
@usableFromInline
struct Patience {
    @usableFromInline let timeout: Duration?
    /// Less than the caller had asked for, because the queue is standing.
    @usableFromInline let isShortened: Bool

    @usableFromInline
    init(_ timeout: Duration?, isShortened: Bool = false) {
        self.timeout = timeout
        self.isShortened = isShortened
    }
}

/// ``ConnectionLoadShedding`` at work: since when the queue has not been empty, as far as those have seen who joined it.
@usableFromInline
final class LoadShedding: Sendable {
    private let target: Duration
    private let targetNanoseconds: UInt64
    private let interval: UInt64
    private let busySince = Atomic<UInt64>(0)
    /// When the queue was last found to be standing; 0: never.
    private let stoodAt = Atomic<UInt64>(0)

    init(_ configuration: ConnectionLoadShedding) {
        target = configuration.target
        targetNanoseconds = configuration.target.nanoseconds
        interval = configuration.interval.nanoseconds
    }

    /// - Parameter queued: How many wait already, those not counted for whom a connection is being opened.
    @usableFromInline
    func timeout(_ timeout: Duration?, queued: Int, now: UInt64) -> Patience {
        if queued == 0 {
            busySince.store(now, ordering: .relaxed)
            return Patience(timeout)
        }
        let since = busySince.load(ordering: .relaxed)
        let stood = stoodAt.load(ordering: .relaxed)
        guard now > since, now - since > grace(now, stood: stood) else { return Patience(timeout) }
        // Not prolonged by a crowd that comes every now and then: only if the queue has hardly been empty meanwhile.
        if now - since > interval || since < stood || since - stood <= interval {
            stoodAt.store(now, ordering: .relaxed)
        }
        guard timeout.map({ $0 > target }) ?? true else { return Patience(timeout) }
        return Patience(target, isShortened: true)
    }

    /// For how long the queue must not have been empty: the target is less than the interval.
    ///
    /// A queue that is kept short is empty now and then, though as much is asked as before: after each such moment it
    /// would stand for the whole interval again.
    private func grace(_ now: UInt64, stood: UInt64) -> UInt64 {
        // Another thread's clock may have been read later.
        let isRemembered = stood > 0 && (now < stood || (now - stood) / 16 < interval)
        return isRemembered ? targetNanoseconds : interval
    }
}
