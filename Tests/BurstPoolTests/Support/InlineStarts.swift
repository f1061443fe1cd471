import Foundation

/// Has tasks run where they are started, before that goes on, up to their first suspension: the one order that two threads
/// hardly ever come to, in which a task has begun before whoever has started it does anything more.
enum InlineStarts {
    private typealias Enqueue = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = @convention(thin) (UnownedJob, Enqueue) -> Void

    /// While `work` runs, on a thread of its own: for what that starts, not for what others start.
    static func run(_ work: @escaping @Sendable () -> Void) async {
        _ = installed
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1))
                work()
                pthread_setspecific(key, nil)
                continuation.resume()
            }
        }
    }

    /// Set on a thread whose jobs run at once.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()
    private static let executor = InlineExecutor()

    /// The runtime asks it for each job that has no executor of its own, in the whole process.
    private static let installed: Void = {
        let symbol = dlsym(dlopen(nil, RTLD_NOW), "swift_task_enqueueGlobal_hook")!
        symbol.assumingMemoryBound(to: Hook?.self).pointee = { job, enqueue in
            if pthread_getspecific(key) == nil {
                enqueue(job)
            } else {
                job.runSynchronously(on: executor.asUnownedTaskExecutor())
            }
        }
    }()
}
