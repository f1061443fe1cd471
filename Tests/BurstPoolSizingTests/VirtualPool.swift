// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Synchronization

@testable import BurstPool
@testable import BurstPoolSizing

/// A real pool that is used by scripted callers in virtual time.
///
/// Its idle connections are one stack, as in the simulation. By default they are several, and a thread takes from its own stack
/// first. Which connection stays idle for long enough to be closed then depends on the threads that the callers run on.
///
/// The pool has one clock, and uses and connects sleep on another one. Both are advanced together, from one event to the next,
/// after everything that the last event has caused has been done. The pool says when it has something to do, and does it when
/// this class says so. The tasks of the pool's timer never wake, so it does not matter when they would run.
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

    private let poolClock = TimerlessClock()
    private let workClock = ManualClock()
    private let state = Mutex(State())
    private let engine: _PoolEngine<ScriptedStrategy<Int>, _ConcurrencyKitCore>
    private let configuration: ConnectionPoolConfiguration
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
        self.configuration = configuration
        engine = try _PoolEngine(strategy: strategy, configuration: configuration, stripes: 1)
    }

    func run() async throws -> Outcome {
        try await engine.prewarm(configuration.maxSize)
        let prewarmed = strategy.counts.attempts
        for caller in callers.callers {
            try await advance(to: .seconds(caller.moment))
            state.withLock { $0.present += 1 }
            Task { await self.call(use: .seconds(caller.use)) }
            try await settle()
        }
        let opened = strategy.counts.attempts - prewarmed
        while state.withLock({ $0.present > 0 }) { try await advanceToNextEvent(before: .seconds(1_000_000)) }
        engine.abort()
        _ = await engine.shutdown(drainFor: nil)
        return state.withLock { state in
            state.outcome.opened = opened
            return state.outcome
        }
    }

    private func call(use: Duration) async {
        let came = workClock.now
        do {
            try await engine.withConnection(timeout: .configured) { [self] _ in
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
        engine.alarmClockRang()
        try await settle()
        return true
    }

    /// When the pool has something to do; `nil` if nothing is due. Its clock reads 1 nanosecond at the start.
    private var poolMoment: Duration? {
        let moment = engine.nextMoment
        return moment == .max ? nil : .nanoseconds(Int64(moment) - 1)
    }

    private func jump(to moment: Duration) {
        poolClock.time.advance(by: moment - now)
        workClock.advance(by: moment - now)
    }

    /// Waits until every caller and every connect sleeps or waits in the queue.
    private func settle() async throws {
        var looks = 0
        while !isSettled {
            looks += 1
            if looks < 10_000 { await Task.yield() } else { try await Task.sleep(for: .milliseconds(1)) }
            guard looks < 20_000 else { throw NeverSettles() }
        }
    }

    /// Whether nobody has anything left to do at this moment.
    ///
    /// A thread may have to stop between two steps, such as that a caller joins the queue and that it opens a connection. So
    /// it is not enough that all callers are accounted for: what the pool decides after each of these steps must be done.
    private var isSettled: Bool {
        let statistics = engine.statistics
        guard statistics.inUse + statistics.waiting == state.withLock({ $0.present }), statistics.closing == 0,
            workClock.sleepers == statistics.inUse + statistics.opening
        else { return false }
        return isReconciled(statistics) && areObserved && engine.statistics == statistics
    }

    /// Whether the pool serves, opens and closes nothing more.
    private func isReconciled(_ statistics: ConnectionPoolStatistics) -> Bool {
        if statistics.waiting == 0 {
            return statistics.idle == 0 || configuration.burstLinger != nil || !statistics.isBursting
        }
        guard statistics.idle == 0 else { return false }
        return engine.core.queued == 0
            || statistics.total == configuration.burstLimit ?? configuration.maxSize
            || statistics.opening == configuration.maxConcurrentConnects
            || configuration.connectDelay != nil && engine.gate?.nextMoment != .max
    }

    /// Whether maintenance will look at all connections that have been opened, acquired or released since it last looked.
    private var areObserved: Bool {
        let maintenance = engine.maintenance
        guard maintenance.observesTimes, maintenance.nextMoment == .max else { return true }
        var areFlagged = true
        engine.core.forEachSlot { _, slot in
            guard slot.state == .idle || slot.state == .leased else { return }
            if engine.header(of: slot.lease).pointee.flags(.wakesMaintenance).isEmpty { areFlagged = false }
        }
        return areFlagged
    }
}

/// A clock that shows the time, and on which every sleep lasts until it is cancelled.
private struct TimerlessClock: Clock {
    let time = ManualClock()
    private let timer = ManualClock()

    var now: ManualClock.Instant { time.now }
    var minimumResolution: Duration { time.minimumResolution }

    func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws {
        try await timer.sleep(for: .seconds(1))
    }
}

/// The error if a virtual pool does not come to rest within 10 seconds.
struct NeverSettles: Error {}
