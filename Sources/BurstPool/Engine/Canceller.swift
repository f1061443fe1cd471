import Synchronization

/// Cancels a task, also one that it is told of later.
final class Canceller: Sendable {
    private final class Box: Sendable {
        let task: Task<Void, Never>
        init(_ task: Task<Void, Never>) { self.task = task }
    }

    private let isCancelled = Atomic(false)
    private let box = Atomic<Unmanaged<Box>?>(nil)

    deinit {
        box.load(ordering: .acquiring)?.release()
    }

    /// To be called once.
    func watch(_ task: Task<Void, Never>) {
        box.store(Unmanaged.passRetained(Box(task)), ordering: .sequentiallyConsistent)
        // Pairs with cancel(), which does the same the other way round: one of the two sees what the other has stored.
        if isCancelled.load(ordering: .sequentiallyConsistent) { cancelTask() }
    }

    func cancel() {
        isCancelled.store(true, ordering: .sequentiallyConsistent)
        cancelTask()
    }

    private func cancelTask() {
        box.exchange(nil, ordering: .sequentiallyConsistent)?.takeRetainedValue().task.cancel()
    }
}
