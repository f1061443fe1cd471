// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Runs tasks on its own queue, and counts the jobs: one for each start and each resumption.
final class CountingTaskExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "counting task executor")
    private let count = Atomic<Int>(0)

    var jobs: Int { count.load(ordering: .sequentiallyConsistent) }

    func enqueue(_ job: consuming ExecutorJob) {
        count.add(1, ordering: .sequentiallyConsistent)
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// The same for an actor.
final class CountingSerialExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "counting serial executor")
    private let count = Atomic<Int>(0)

    var jobs: Int { count.load(ordering: .sequentiallyConsistent) }

    func enqueue(_ job: consuming ExecutorJob) {
        count.add(1, ordering: .sequentiallyConsistent)
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }
}
