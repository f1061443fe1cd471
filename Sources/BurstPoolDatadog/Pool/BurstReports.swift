// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// Decides which events about a burst are sent, and knows the burst limit.
final class BurstReports: Sendable {
    /// -1 if the limit is unknown, and 0 if the pool has none.
    private let knownLimit = Atomic(-1)
    private let limitWasReported = Atomic(false)

    /// The burst limit, if it is known.
    var limit: Int? {
        let limit = knownLimit.load(ordering: .relaxed)
        return limit > 0 ? limit : nil
    }

    func noteLimit(_ statistics: ConnectionPoolStatistics) {
        knownLimit.store(statistics.burstLimit ?? 0, ordering: .relaxed)
    }

    /// Returns whether to report that the limit was reached, which happens once per burst.
    func mayReportLimit() -> Bool {
        knownLimit.load(ordering: .relaxed) != 0 && !limitWasReported.exchange(true, ordering: .relaxed)
    }

    func end() {
        limitWasReported.store(false, ordering: .relaxed)
    }
}
