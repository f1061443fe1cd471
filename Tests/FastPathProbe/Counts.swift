// SPDX-License-Identifier: Apache-2.0

import CAllocationCounter

/// The number of allocations of all threads, and the number of jobs that were enqueued.
struct Counts: CustomStringConvertible {
    var allocations: UInt64
    var jobs: Int

    static func upToNow(_ executor: CountingExecutor) -> Counts {
        Counts(allocations: allocation_count_of_all_threads(), jobs: executor.jobs)
    }

    static func - (later: Counts, earlier: Counts) -> Counts {
        Counts(allocations: later.allocations - earlier.allocations, jobs: later.jobs - earlier.jobs)
    }

    var description: String { "\(allocations) allocations, \(jobs) suspensions" }
}
