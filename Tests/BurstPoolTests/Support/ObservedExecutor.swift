import Dispatch
import Synchronization

/// Runs a task on the threads that all tasks share, and tells when it is suspended.
///
/// A pool counts a caller as waiting before it has joined the queue: who wants to know that it stands in the queue, ahead
/// of those who come later, has to know that it is suspended.
final class ObservedExecutor: TaskExecutor {
    private let begun = Atomic<Int>(0)
    private let finished = Atomic<Int>(0)

    /// Whether the task has run and does not: it is suspended, or has ended.
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
