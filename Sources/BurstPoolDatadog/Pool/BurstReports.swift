import BurstPool
import Synchronization

/// What has been said of a burst, and the limit that it has.
final class BurstReports: Sendable {
    /// -1: not known. 0: there is none.
    private let knownLimit = Atomic(-1)
    private let limitWasReported = Atomic(false)

    /// The burst limit, as far as it is known.
    var limit: Int? {
        let limit = knownLimit.load(ordering: .relaxed)
        return limit > 0 ? limit : nil
    }

    func noteLimit(_ statistics: ConnectionPoolStatistics) {
        knownLimit.store(statistics.burstLimit ?? 0, ordering: .relaxed)
    }

    /// Whether to say that the limit was reached: once in a burst.
    func mayReportLimit() -> Bool {
        knownLimit.load(ordering: .relaxed) != 0 && !limitWasReported.exchange(true, ordering: .relaxed)
    }

    func end() {
        limitWasReported.store(false, ordering: .relaxed)
    }
}
