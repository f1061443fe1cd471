/// Runs each job where it is enqueued, before that goes on: so a task that starts gets as far as its first suspension
/// at once, within the call that starts it.
final class InlineExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        job.runSynchronously(on: asUnownedTaskExecutor())
    }
}
