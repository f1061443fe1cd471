// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Runs tasks on its own queue, and counts the jobs: one for each start and each resumption.
final class CountingExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "counting executor")
    private let count = Atomic<Int>(0)

    var jobs: Int { count.load(ordering: .sequentiallyConsistent) }

    func enqueue(_ job: consuming ExecutorJob) {
        count.add(1, ordering: .sequentiallyConsistent)
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
