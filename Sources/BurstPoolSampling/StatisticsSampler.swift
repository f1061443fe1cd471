package import BurstPool
import Synchronization

/// Reads a pool's statistics on a period, and soon after something has happened in it: for gauges.
///
/// Reading costs time for each connection, so what happens only says that there is something to read, and no more often
/// than once in a while it is read. By one at a time, so reports never overtake each other.
package final class StatisticsSampler: Sendable {
    private struct Sampling {
        let task: Task<Void, Never>
        let reader: Reader
    }

    /// Reads and reports.
    private final class Reader: Sendable {
        private let read: @Sendable () -> ConnectionPoolStatistics?
        private let report: @Sendable (ConnectionPoolStatistics?) -> Void
        private let turn = Mutex(())

        init(
            _ read: @escaping @Sendable () -> ConnectionPoolStatistics?,
            _ report: @escaping @Sendable (ConnectionPoolStatistics?) -> Void
        ) {
            self.read = read
            self.report = report
        }

        /// - Returns: Whether there is still something to read.
        @discardableResult
        func reportNow() -> Bool {
            turn.withLock { _ in
                guard let statistics = read() else { return false }
                report(statistics)
                return true
            }
        }

        func reportEnd() {
            turn.withLock { _ in report(nil) }
        }
    }

    private let period: Duration
    private let minimumGap: Duration
    private let clock: any Clock<Duration>
    private let nudges = Nudges()
    private let sampling = Mutex<Sampling?>(nil)

    /// - Parameters:
    ///   - period: After which time to read if nothing has happened.
    ///   - minimumGap: How long to wait from one reading to the next, whatever happens.
    package init(period: Duration, minimumGap: Duration, clock: any Clock<Duration>) {
        // A period of no time would keep a CPU busy.
        self.period = min(max(period, .milliseconds(1)), .longestSleep)
        self.minimumGap = min(minimumGap, .longestSleep)
        self.clock = clock
    }

    deinit {
        sampling.withLock { $0?.task.cancel() }
    }

    /// Starts with a pool, in place of another one. The pool is not kept alive by it.
    ///
    /// - Parameter report: Is given the statistics, and `nil` at the end: when the pool or the sampler is gone.
    package func start<Strategy>(
        _ pool: ConnectionPool<Strategy>,
        report: @escaping @Sendable (ConnectionPoolStatistics?) -> Void
    ) {
        let reader = Reader({ [weak pool] in pool?.statistics }, report)
        let task = Task.detached { [period, minimumGap, clock, nudges] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await Self.nudge(nudges, every: period, clock) }
                group.addTask { await Self.sample(reader, after: nudges, gap: minimumGap, clock) }
                await group.next()
                group.cancelAll()
            }
            reader.reportEnd()
        }
        nudges.nudge()
        sampling.withLock { sampling in
            sampling?.task.cancel()
            sampling = Sampling(task: task, reader: reader)
        }
    }

    /// Reads and reports now, before this returns.
    package func refresh() {
        let reader = sampling.withLock { $0?.reader }
        reader?.reportNow()
    }

    /// Something has happened. Costs a fence and a load while a reading is due anyway.
    package func nudge() {
        nudges.nudge()
    }

    private static func nudge(_ nudges: Nudges, every period: Duration, _ clock: any Clock<Duration>) async {
        while (try? await clock.sleep(for: period)) != nil { nudges.nudge() }
    }

    private static func sample(_ reader: Reader, after nudges: Nudges, gap: Duration, _ clock: any Clock<Duration>)
        async
    {
        while await nudges.next(), reader.reportNow() {
            guard (try? await clock.sleep(for: gap)) != nil else { return }
        }
    }
}
