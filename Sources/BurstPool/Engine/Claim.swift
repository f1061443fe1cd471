import Synchronization

/// Something that only one party can have, the first to take it.
final class Claim: Sendable {
    private let isTaken = Atomic(false)

    func take() -> Bool {
        !isTaken.exchange(true, ordering: .acquiringAndReleasing)
    }
}

/// Cancels a task, also one that it is told of later.
final class Canceller: Sendable {
    private let isCancelled = Atomic(false)
    private let task = ReplaceableTask()

    func watch(_ new: Task<Void, Never>) {
        task.replace(with: new)
        // Pairs with cancel(): one of the two sees what the other has stored, for both follow it by an exchange.
        if isCancelled.load(ordering: .sequentiallyConsistent) { task.replace(with: nil) }
    }

    func cancel() {
        isCancelled.store(true, ordering: .sequentiallyConsistent)
        task.replace(with: nil)
    }
}
