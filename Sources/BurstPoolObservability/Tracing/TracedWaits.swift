// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization
import Tracing

/// A wait whose span has started.
struct TracedWait: Sendable {
    let span: any Span
    let began: Instant
    /// Whether the last connection attempt on behalf of this wait has ended.
    var connectHasEnded = false
}

/// The spans of waiting callers, and the span contexts of callers that waited recently.
///
/// The contexts are kept because a connection can still be opening on behalf of a caller that was served with another
/// connection, or that gave up.
final class TracedWaits: Sendable {
    fileprivate struct State {
        var open: [ConnectionWait: TracedWait] = [:]
        var ended: [ConnectionWait: ServiceContext] = [:]
        /// A ring of the ended waits, from which the oldest is removed when another wait ends.
        var order: [ConnectionWait] = []
        var oldest = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: The largest number of waiting callers, and of callers that waited, to keep.
    init(limit: Int) {
        self.limit = limit
    }

    var hasRoom: Bool { state.withLock { $0.open.count < limit } }

    func add(_ wait: ConnectionWait, _ traced: TracedWait) {
        state.withLock { $0.open[wait] = traced }
    }

    func connectHasEnded(_ wait: ConnectionWait) -> Bool {
        state.withLock { $0.open[wait]?.connectHasEnded ?? false }
    }

    func end(_ wait: ConnectionWait) -> TracedWait? {
        state.withLock { state in
            guard let traced = state.open.removeValue(forKey: wait) else { return nil }
            if !traced.connectHasEnded { state.keepEnded(wait, traced.span.context, limit: limit) }
            return traced
        }
    }

    /// Returns the context of the acquire span, if it is still known.
    func context(of wait: ConnectionWait, isLastConnect: Bool) -> ServiceContext? {
        state.withLock { state in
            if let traced = state.open[wait] {
                if isLastConnect { state.open[wait]?.connectHasEnded = true }
                return traced.span.context
            }
            return isLastConnect ? state.ended.removeValue(forKey: wait) : state.ended[wait]
        }
    }
}

extension TracedWaits.State {
    fileprivate mutating func keepEnded(_ wait: ConnectionWait, _ context: ServiceContext, limit: Int) {
        if order.count < limit {
            order.append(wait)
        } else {
            ended.removeValue(forKey: order[oldest])
            order[oldest] = wait
            oldest = (oldest + 1) % limit
        }
        ended[wait] = context
    }
}
