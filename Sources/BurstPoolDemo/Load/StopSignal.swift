import Synchronization

/// Tells everybody that the load ends before its time, and why.
final class StopSignal: Sendable {
    enum Reason: Sendable, Equatable {
        /// Somebody pressed Ctrl-C, or the process was asked to end.
        case interrupted
        /// Something went wrong that makes going on pointless.
        case failed(String)
    }

    private let raised = Atomic<Bool>(false)
    private let firstReason = Mutex<Reason?>(nil)

    /// Costs one load.
    var isRaised: Bool { raised.load(ordering: .relaxed) }

    /// Why; `nil` if the load ends in its time.
    var reason: Reason? { firstReason.withLock { $0 } }

    /// The first reason counts.
    func raise(_ reason: Reason) {
        firstReason.withLock { if $0 == nil { $0 = reason } }
        raised.store(true, ordering: .relaxed)
    }
}
