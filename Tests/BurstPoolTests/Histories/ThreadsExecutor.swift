import Dispatch
import Foundation
import Synchronization

/// Runs tasks on so many threads of its own, more than there are processors, so that they are interrupted anywhere.
final class ThreadsExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])
    /// As many as there are jobs, and one for each thread that shall end.
    private let signal = DispatchSemaphore(value: 0)
    private let threads: Int

    init(threads: Int) {
        self.threads = threads
        for _ in 0..<threads { Thread { [self] in work() }.start() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        signal.signal()
    }

    /// Ends the threads, which keep the executor until then. To be called when no task is left.
    func stop() {
        for _ in 0..<threads { signal.signal() }
    }

    private func work() {
        while true {
            signal.wait()
            guard let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return }
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
