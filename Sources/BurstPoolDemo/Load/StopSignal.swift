// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A request to end the load early, with its reason.
final class StopSignal: Sendable {
    enum Reason: Sendable, Equatable {
        /// The user pressed Ctrl-C, or the process received a termination signal.
        case interrupted
        /// The run has failed.
        case failed(String)
    }

    private let raised = Atomic<Bool>(false)
    private let firstReason = Mutex<Reason?>(nil)

    /// Whether the load must end. Reading it costs one load.
    var isRaised: Bool { raised.load(ordering: .relaxed) }

    /// The reason; `nil` if the load has not been stopped early.
    var reason: Reason? { firstReason.withLock { $0 } }

    /// Requests the end of the load. Only the first reason is kept.
    func raise(_ reason: Reason) {
        firstReason.withLock { if $0 == nil { $0 = reason } }
        raised.store(true, ordering: .relaxed)
    }
}
