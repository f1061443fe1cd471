// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Synchronization

@testable import BurstPoolSizing

/// A real pool that is used by scripted callers in virtual time.
///
/// The pool has one clock, and uses and connects sleep on another one. Both are advanced together, from one event to the next,
/// after everything that the last event has caused has been done.
final class VirtualPool: Sendable {
    struct Outcome: Sendable {
        /// The wait of each caller in seconds; that of a caller that timed out is the timeout.
        var waits: [Double] = []
        var timedOut = 0
        var opened = 0

        /// The wait that this share of the callers does not exceed.
        func wait(quantile share: Double) -> Double {
            waits.sorted()[max(0, Int((share * Double(waits.count)).rounded(.up)) - 1)]
        }
    }

    private struct State {
        var outcome = Outcome()
        /// Callers that have come and have not left.
        var present = 0
    }

    private let poolClock = WatchedClock()
    private let workClock = ManualClock()
    private let state = Mutex(State())
    private let pool: ConnectionPool<ScriptedStrategy<Int>>
    private let strategy: ScriptedStrategy<Int>
    private let policy: PoolPolicy
    private let callers: ScriptedCallers
    private let pause: Duration?

    /// - Parameter pause: How long each step waits, in real time, for the task of the pool's timer. What that task does cannot
    ///   be seen from outside. Without a pause, it gets the time that the other tasks leave it.
    init(_ policy: PoolPolicy, _ callers: ScriptedCallers, pause: Duration?) throws {
        self.policy = policy
        self.callers = callers
        self.pause = pause
        strategy = ScriptedStrategy { [workClock] script in
            script.open = { attempt in
                guard attempt > policy.maxSize else { return }
                let duration = callers.connects[(attempt - policy.maxSize - 1) % callers.connects.count]
                try await workClock.sleep(for: .seconds(duration))
            }
        }
        var configuration = ConnectionPoolConfiguration(maxSize: policy.maxSize, burstLimit: policy.burstLimit)
        configuration.burstLinger = policy.burstLinger
        configuration.connectDelay = policy.connectDelay
        configuration.maxConcurrentConnects = policy.maxConcurrentConnects
        configuration.acquireTimeout = policy.acquireTimeout
        configuration.clock = poolClock
        pool = try ConnectionPool(strategy: strategy, configuration: configuration)
    }

    func run() async throws -> Outcome {
        try await pool.prewarm(pool.configuration.maxSize)
        let prewarmed = strategy.counts.attempts
        for caller in callers.callers {
            try await advance(to: .seconds(caller.moment))
            state.withLock { $0.present += 1 }
            Task { await self.call(use: .seconds(caller.use)) }
            try await settle(timerRang: false)
        }
        let opened = strategy.counts.attempts - prewarmed
        while state.withLock({ $0.present > 0 }) { try await advanceToNextEvent(before: .seconds(1_000_000)) }
        await pool.abort()
        return state.withLock { state in
            state.outcome.opened = opened
            return state.outcome
        }
    }

    private func call(use: Duration) async {
        let came = workClock.now
        do {
            try await pool.withConnection { [self] _ in
                let wait = came.duration(to: workClock.now)
                state.withLock { $0.outcome.waits.append(wait / .seconds(1)) }
                try await workClock.sleep(for: use)
            }
        } catch {
            let wait = came.duration(to: workClock.now)
            state.withLock { state in
                state.outcome.waits.append(wait / .seconds(1))
                state.outcome.timedOut += 1
            }
        }
        state.withLock { $0.present -= 1 }
    }

    // MARK: Time

    private var now: Duration { workClock.now.sinceStart }

    private func advance(to moment: Duration) async throws {
        while try await advanceToNextEvent(before: moment) {}
        jump(to: moment)
    }

    /// Returns `false` if nothing happens before this moment.
    @discardableResult
    private func advanceToNextEvent(before moment: Duration) async throws -> Bool {
        guard let next = [poolClock.nextDeadline, workClock.nextDeadline].compactMap(\.self).min(), next < moment else {
            return false
        }
        let timerRings = poolClock.nextDeadline.map { $0 <= next } ?? false
        jump(to: next)
        try await settle(timerRang: timerRings)
        return true
    }

    private func jump(to moment: Duration) {
        poolClock.advance(by: moment - now)
        workClock.advance(by: moment - now)
    }

    /// Waits until every caller and every connect sleeps or waits in the queue, and the pool's timer is set.
    private func settle(timerRang: Bool) async throws {
        for _ in 0..<5 { await Task.yield() }
        try await waitUntilSettled()
        guard timerRang || mayNeedTimer else { return }
        if let pause { try await Task.sleep(for: pause) } else { for _ in 0..<30 { await Task.yield() } }
        try await waitUntilSettled()
    }

    /// Whether the pool may just have set its timer.
    private var mayNeedTimer: Bool {
        let statistics = pool.statistics
        return policy.connectDelay != nil && statistics.waiting > 0
            || policy.burstLinger != nil && statistics.total > policy.maxSize
            || policy.acquireTimeout != nil && statistics.waiting > 0
    }

    /// Whether callers wait for something that only the timer can bring.
    private func needsTimer(_ statistics: ConnectionPoolStatistics) -> Bool {
        if policy.acquireTimeout != nil, statistics.waiting > 0 { return true }
        return policy.connectDelay != nil && statistics.waiting > statistics.opening
            && statistics.total < policy.hardLimit && statistics.opening < policy.maxConcurrentConnects ?? .max
    }

    private func waitUntilSettled() async throws {
        var looks = 0
        while !isSettled {
            looks += 1
            if looks < 10_000 { await Task.yield() } else { try await Task.sleep(for: .milliseconds(1)) }
            guard looks < 20_000 else { throw NeverSettles() }
        }
    }

    private var isSettled: Bool {
        let statistics = pool.statistics
        let present = state.withLock { $0.present }
        return statistics.inUse + statistics.waiting == present && statistics.closing == 0
            && workClock.sleepers == statistics.inUse + statistics.opening
            && (statistics.waiting == 0 || statistics.idle == 0) && poolClock.allHaveResumed
            && (!needsTimer(statistics) || poolClock.nextDeadline.map { $0 > now } ?? false)
    }
}

/// The error if a virtual pool does not come to rest within 10 seconds.
struct NeverSettles: Error {}

/// A manual clock that knows whether the tasks that it has woken have resumed.
private final class WatchedClock: Clock {
    private let base = ManualClock()
    private let sleeping = Atomic(0)

    var now: ManualClock.Instant { base.now }
    var minimumResolution: Duration { base.minimumResolution }
    var nextDeadline: Duration? { base.nextDeadline }
    var allHaveResumed: Bool { sleeping.load(ordering: .acquiring) == base.sleepers }

    func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws {
        sleeping.add(1, ordering: .acquiringAndReleasing)
        defer { sleeping.subtract(1, ordering: .acquiringAndReleasing) }
        try await base.sleep(until: deadline, tolerance: tolerance)
    }

    func advance(by duration: Duration) { base.advance(by: duration) }
}
