// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Synchronization

@testable import BurstPool
@testable import BurstPoolSizing

/// A real pool that is used by scripted callers in virtual time.
///
/// The pool has one clock, and uses and connects sleep on another one. Both are advanced together, from one event to the next,
/// after everything that the last event has caused has been done. The pool says when it has something to do, and does it when
/// this class says so. So it does not matter when the task of the pool's timer runs.
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

    private let poolClock = ManualClock()
    private let workClock = ManualClock()
    private let state = Mutex(State())
    private let pool: ConnectionPool<ScriptedStrategy<Int>>
    private let strategy: ScriptedStrategy<Int>
    private let callers: ScriptedCallers

    init(_ policy: PoolPolicy, _ callers: ScriptedCallers) throws {
        self.callers = callers
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
            try await settle()
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
        guard let next = [poolMoment, workClock.nextDeadline].compactMap(\.self).min(), next < moment else {
            return false
        }
        jump(to: max(now, next))
        pool.engine.alarmClockRang()
        while pool.engine.maintenance.isLooking { await Task.yield() }
        try await settle()
        return true
    }

    /// When the pool has something to do; `nil` if nothing is due. Its clock reads 1 nanosecond at the start.
    private var poolMoment: Duration? {
        let moment = pool.engine.nextMoment
        return moment == .max ? nil : .nanoseconds(Int64(moment) - 1)
    }

    private func jump(to moment: Duration) {
        poolClock.advance(by: moment - now)
        workClock.advance(by: moment - now)
    }

    /// Waits until every caller and every connect sleeps or waits in the queue.
    private func settle() async throws {
        for _ in 0..<5 { await Task.yield() }
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
            && (statistics.waiting == 0 || statistics.idle == 0)
    }
}

/// The error if a virtual pool does not come to rest within 10 seconds.
struct NeverSettles: Error {}
