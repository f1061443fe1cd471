// SPDX-License-Identifier: Apache-2.0

/// Runs each job synchronously where it is enqueued. Therefore a task runs up to its first suspension within the call
/// that starts it.
final class InlineExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        job.runSynchronously(on: asUnownedTaskExecutor())
    }
}
