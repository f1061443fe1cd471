// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Runs a task on the shared threads, and tells when the task is suspended.
///
/// A pool counts a caller as waiting before the caller has joined the queue. A test that needs a caller to be in the
/// queue, ahead of later callers, must wait until its task is suspended.
final class ObservedExecutor: TaskExecutor {
    private let begun = Atomic<Int>(0)
    private let finished = Atomic<Int>(0)

    /// Whether the task has run and is not running: it is suspended, or has ended.
    var isSuspended: Bool {
        let finished = finished.load(ordering: .acquiring)
        return finished > 0 && begun.load(ordering: .relaxed) == finished
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        begun.add(1, ordering: .relaxed)
        DispatchQueue.global().async {
            job.runSynchronously(on: self.asUnownedTaskExecutor())
            self.finished.add(1, ordering: .releasing)
        }
    }
}
