// SPDX-License-Identifier: Apache-2.0

/// Runs tasks on the thread that calls ``run()``, in the order in which they become ready, so that their execution and
/// its cost are the same each time.
final class OneThread: TaskExecutor, @unchecked Sendable {
    // Unchecked: used from one thread only.
    private var ready = JobQueue<UnownedJob>()
    private var suspended = JobQueue<UnsafeContinuation<Void, Never>>()

    func enqueue(_ job: consuming ExecutorJob) {
        ready.append(UnownedJob(job))
    }

    /// Suspends the calling task until all other ready tasks have run.
    nonisolated(nonsending) func suspend() async {
        await withUnsafeContinuation { suspended.append($0) }
    }

    func run() {
        while true {
            if let job = ready.next() {
                job.runSynchronously(on: asUnownedTaskExecutor())
            } else if let continuation = suspended.next() {
                continuation.resume()
            } else {
                return
            }
        }
    }
}

/// First in, first out. Allocates only when it is longer than ever before.
private struct JobQueue<Element> {
    private var elements: [Element?] = Array(repeating: nil, count: 64)
    private var first = 0
    private var count = 0

    mutating func append(_ element: Element) {
        precondition(count < elements.count, "more tasks than this queue can hold")
        elements[(first + count) % elements.count] = element
        count += 1
    }

    mutating func next() -> Element? {
        if count == 0 { return nil }
        defer {
            elements[first] = nil
            first = (first + 1) % elements.count
            count -= 1
        }
        return elements[first]
    }
}
