// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The tasks of the load and their results.
final class Load: Sendable {
    struct Result: Sendable {
        var tally = Tally()
        var ledgers: [Ledger] = []
        var finished = 0
    }

    private let progress: [Progress]
    private let result = Mutex(Result())
    private let tasks = Mutex<[Task<Void, Never>]>([])

    init(tasks count: Int) {
        progress = (0..<count).map { _ in Progress() }
    }

    var commandsSoFar: Int { progress.reduce(0) { $0 + $1.commands.load(ordering: .relaxed) } }

    var errorsSoFar: Int { progress.reduce(0) { $0 + $1.errors.load(ordering: .relaxed) } }

    func start<Server: Backend>(_ context: LoadContext, on backend: Server, _ pool: DemoPool<Server>) {
        let started = progress.indices.map { number in
            Task {
                let progress = self.progress[number]
                let worker = Worker(number: number, context: context, backend: backend, pool: pool, progress: progress)
                let (tally, ledger) = await worker.run()
                self.result.withLock { result in
                    result.tally.merge(tally)
                    result.ledgers.append(ledger)
                    result.finished += 1
                }
            }
        }
        tasks.withLock { $0 = started }
    }

    /// Waits until all tasks have finished or the deadline has passed, and returns whether they have finished.
    ///
    /// It polls instead of awaiting the tasks, because a task whose waiter was lost would never end.
    func finish(by deadline: ContinuousClock.Instant) async -> Bool {
        while result.withLock({ $0.finished }) < progress.count {
            guard ContinuousClock.now < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return true
    }

    func cancel() {
        for task in tasks.withLock({ $0 }) { task.cancel() }
    }

    /// The results of the tasks that have finished.
    var outcome: Result { result.withLock { $0 } }
}
