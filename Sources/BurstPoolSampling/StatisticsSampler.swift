// SPDX-License-Identifier: Apache-2.0

package import BurstPool
import Synchronization

/// Reads a pool's statistics periodically and shortly after events, to update gauges.
///
/// Reading visits every connection, so an event only requests a refresh, and refreshes are at least a minimum gap apart.
/// Refreshes never run in parallel, so an older reading cannot overwrite a newer one.
package final class StatisticsSampler: Sendable {
    private struct Sampling {
        let task: Task<Void, Never>
        let refresher: Refresher
    }

    private let period: Duration
    private let minimumGap: Duration
    private let clock: any Clock<Duration>
    private let requests = RefreshRequests()
    private let sampling = Mutex<Sampling?>(nil)

    /// - Parameters:
    ///   - period: The time between two refreshes if no event happens.
    ///   - minimumGap: The shortest time between two refreshes.
    package init(period: Duration, minimumGap: Duration, clock: any Clock<Duration>) {
        // The lower bound keeps a period of zero from using up a CPU.
        self.period = min(max(period, .milliseconds(1)), .longestSleep)
        self.minimumGap = min(minimumGap, .longestSleep)
        self.clock = clock
    }

    deinit {
        sampling.withLock { $0?.task.cancel() }
    }

    /// Starts to sample a pool, and stops sampling the previous one. Does not keep the pool alive.
    ///
    /// - Parameters:
    ///   - read: Reads the statistics of the pool, to which it has a weak reference. Returns `nil` when the pool is gone.
    ///   - report: Receives each reading, and `nil` when the pool or the sampler is gone.
    package func start(
        read: @escaping @Sendable () -> ConnectionPoolStatistics?,
        report: @escaping @Sendable (ConnectionPoolStatistics?) -> Void
    ) {
        let refresher = Refresher(read: read, report: report)
        let task = Task.detached { [period, minimumGap, clock, requests] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await Self.request(requests, every: period, clock) }
                group.addTask { await Self.refresh(refresher, after: requests, gap: minimumGap, clock) }
                await group.next()
                group.cancelAll()
            }
            refresher.reportEnd()
        }
        sampling.withLock { sampling in
            sampling?.refresher.retire()
            sampling?.task.cancel()
            sampling = Sampling(task: task, refresher: refresher)
        }
        requests.request()
    }

    /// Reads and reports before it returns.
    package func refresh() {
        let refresher = sampling.withLock { $0?.refresher }
        refresher?.refresh()
    }

    /// Requests a refresh after an event. Costs a fence and a load if a refresh is already pending.
    package func requestRefresh() {
        requests.request()
    }

    private static func request(_ requests: RefreshRequests, every period: Duration, _ clock: any Clock<Duration>)
        async
    {
        while (try? await clock.sleep(for: period)) != nil { requests.request() }
    }

    private static func refresh(
        _ refresher: Refresher,
        after requests: RefreshRequests,
        gap: Duration,
        _ clock: any Clock<Duration>
    ) async {
        while await requests.next(), refresher.refresh() {
            guard (try? await clock.sleep(for: gap)) != nil else { return }
        }
    }
}

/// Reads statistics and reports them, one refresh at a time.
private final class Refresher: Sendable {
    private let read: @Sendable () -> ConnectionPoolStatistics?
    private let report: @Sendable (ConnectionPoolStatistics?) -> Void
    private let isRetired = Mutex(false)

    init(
        read: @escaping @Sendable () -> ConnectionPoolStatistics?,
        report: @escaping @Sendable (ConnectionPoolStatistics?) -> Void
    ) {
        self.read = read
        self.report = report
    }

    /// Returns whether the pool still exists and this refresher was not replaced.
    @discardableResult
    func refresh() -> Bool {
        isRetired.withLock { isRetired in
            guard !isRetired, let statistics = read() else { return false }
            report(statistics)
            return true
        }
    }

    func reportEnd() {
        isRetired.withLock { if !$0 { report(nil) } }
    }

    /// Stops all reports, because another refresher reports to the same gauges from now on.
    func retire() {
        isRetired.withLock { $0 = true }
    }
}
