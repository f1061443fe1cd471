// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Cancels a task, even if the task becomes known only after the cancellation.
final class Canceller: Sendable {
    private final class TaskBox: Sendable {
        let task: Task<Void, Never>
        init(_ task: Task<Void, Never>) { self.task = task }
    }

    private let isCancelled = Atomic(false)
    private let box = ExchangeBox<TaskBox>()

    /// Names the task that ``cancel()`` cancels. Call this method once.
    func watch(_ task: Task<Void, Never>) {
        box.put(TaskBox(task))
        // Pairs with cancel(), which writes and reads in the opposite order: at least one of the two threads sees what the
        // other one wrote.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if isCancelled.load(ordering: .sequentiallyConsistent) { cancelTask() }
    }

    func cancel() {
        isCancelled.store(true, ordering: .sequentiallyConsistent)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        cancelTask()
    }

    private func cancelTask() {
        box.take()?.task.cancel()
    }
}
