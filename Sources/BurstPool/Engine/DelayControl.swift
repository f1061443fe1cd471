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

/// ``ConnectionDelayControl`` at work: since when the queue has not been empty, as far as those have seen who joined it.
@usableFromInline
final class DelayControl: Sendable {
    private let target: Duration
    private let interval: UInt64
    private let busySince = Atomic<UInt64>(0)

    init(_ configuration: ConnectionDelayControl) {
        target = configuration.target
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
        guard now > since, now - since > interval, timeout.map({ $0 > target }) ?? true else {
            return Patience(timeout)
        }
        return Patience(target, isShortened: true)
    }
}
