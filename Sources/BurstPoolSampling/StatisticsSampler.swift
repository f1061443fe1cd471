package import BurstPool
import Synchronization

/// Reads a pool's statistics on a period, and soon after something has happened in it: for gauges.
///
/// Reading costs time for each connection, so what happens only says that there is something to read, and no more often
/// than once in a while it is read. All of it is done by one task, so reports never overtake each other.
package final class StatisticsSampler: Sendable {
    private let period: Duration
    private let minimumGap: Duration
    private let clock: any Clock<Duration>
    private let nudges = Nudges()
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// - Parameters:
    ///   - period: After which time to read if nothing has happened.
    ///   - minimumGap: How long to wait from one reading to the next, whatever happens.
    package init(period: Duration, minimumGap: Duration, clock: any Clock<Duration>) {
        self.period = period
        self.minimumGap = minimumGap
        self.clock = clock
    }

    deinit {
        task.withLock { $0?.cancel() }
    }

    /// Starts with a pool, in place of another one. The pool is not kept alive by it.
    ///
    /// - Parameter report: Is given the statistics, and `nil` at the end: when the pool or the sampler is gone.
    package func start<Strategy>(
        _ pool: ConnectionPool<Strategy>,
        report: @escaping @Sendable (ConnectionPoolStatistics?) -> Void
    ) {
        let read: @Sendable () -> ConnectionPoolStatistics? = { [weak pool] in pool?.statistics }
        let sampling = Task.detached { [period, minimumGap, clock, nudges] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await Self.nudge(nudges, every: period, clock) }
                group.addTask { await Self.sample(read, report, after: nudges, gap: minimumGap, clock) }
                await group.next()
                group.cancelAll()
            }
            report(nil)
        }
        nudges.nudge()
        task.withLock { task in
            task?.cancel()
            task = sampling
        }
    }

    /// Something has happened. Costs a fence and a load while a reading is due anyway.
    package func nudge() {
        nudges.nudge()
    }

    private static func nudge(_ nudges: Nudges, every period: Duration, _ clock: any Clock<Duration>) async {
        while (try? await clock.sleep(for: period)) != nil { nudges.nudge() }
    }

    private static func sample(
        _ read: @Sendable () -> ConnectionPoolStatistics?,
        _ report: @Sendable (ConnectionPoolStatistics?) -> Void,
        after nudges: Nudges,
        gap: Duration,
        _ clock: any Clock<Duration>
    ) async {
        while await nudges.next(), let statistics = read() {
            report(statistics)
            guard (try? await clock.sleep(for: gap)) != nil else { return }
        }
    }
}
