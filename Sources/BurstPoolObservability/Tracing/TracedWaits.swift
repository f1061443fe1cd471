import BurstPool
import Synchronization
import Tracing

/// A wait whose span has begun.
struct TracedWait: Sendable {
    let span: any Span
    let began: Instant
    /// No other connection will be opened on its behalf.
    var connectHasEnded = false
}

/// The spans of those who wait, and of the latest who have waited: a connection can still be opening on behalf of somebody
/// who has got another one, or has gone.
final class TracedWaits: Sendable {
    fileprivate struct State {
        var open: [ConnectionWait: TracedWait] = [:]
        var ended: [ConnectionWait: ServiceContext] = [:]
        /// Who ended when: the oldest is forgotten for the next.
        var order: [ConnectionWait] = []
        var oldest = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: How many of each kind to keep at the most.
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

    /// The context of the span of the acquire.
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
