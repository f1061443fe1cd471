// SPDX-License-Identifier: Apache-2.0

/// A pool in simulated time: the decisions of BurstPool's reconcile loop, one event after the other.
///
/// Times are seconds from the start. The pool begins with `maxSize` idle connections. Connections do not fail, a close takes no
/// time, and no connection below `maxSize` is ever closed.
struct Simulator<Source: CallerSource> {
    private let policy: PoolPolicy
    private let linger: Double?
    private let timeout: Double
    private let connectCap: Int
    private var source: Source
    /// Callers with lower numbers than this only bring the pool into its steady state.
    private let firstMeasured: Int

    private var now = 0.0
    /// Since when each idle connection is idle. The last one is used first, so the first one is idle for longest.
    private var idle: [Double]
    private var inUse = 0
    private var opening = 0
    private var waiters = SimulatedWaitQueue()
    private var events = EventQueue()
    private var delay: SimulatedConnectDelay
    /// When a delay ends that keeps the pool from opening a connection.
    private var delayEnds = Double.infinity
    private var measures = Measures()

    init(_ policy: PoolPolicy, _ source: Source, firstMeasured: Int) {
        self.policy = policy
        self.source = source
        self.firstMeasured = firstMeasured
        // The pool enforces the limit up to an eighth late. The simulation takes the middle.
        linger = policy.burstLinger.map { $0.inSeconds * 1.0625 }
        timeout = policy.acquireTimeout?.inSeconds ?? .infinity
        connectCap = policy.maxConcurrentConnects ?? .max
        delay = SimulatedConnectDelay(policy.connectDelay)
        idle = Array(repeating: 0, count: policy.maxSize)
    }

    private var total: Int { idle.count + inUse + opening }

    /// Runs until all callers have been served or have left.
    mutating func run() -> Measures {
        var caller = source.nextCaller()
        var arrived = 0
        while caller != nil || waiters.count > 0 {
            let moment = min(events.nextMoment, waitEnds, lingerEnds, delayEnds, caller?.moment ?? .infinity)
            guard moment < .infinity else { break }
            measures.advance(to: max(now, moment), total: total)
            now = max(now, moment)
            if events.nextMoment <= moment {
                perform()
            } else if lingerEnds <= moment {
                idle.removeFirst()
            } else if delayEnds <= moment {
                delayEnds = .infinity
                reconcile()
            } else if let present = caller, present.moment <= moment {
                if arrived == firstMeasured { measures.begin(at: now, total: total) }
                arrive(present, isMeasured: arrived >= firstMeasured)
                arrived += 1
                caller = source.nextCaller()
                if caller == nil { measures.end(at: now, total: total) }
            } else {
                endOldestWait()
            }
        }
        return measures
    }

    // MARK: Moments at which something is due

    private var waitEnds: Double { waiters.oldestMoment.map { $0 + timeout } ?? .infinity }

    private var lingerEnds: Double {
        guard let linger, total > policy.maxSize, let longestIdle = idle.first else { return .infinity }
        return longestIdle + linger
    }

    // MARK: Events

    private mutating func perform() {
        switch events.removeNext() {
        case .release:
            inUse -= 1
            idle.append(now)
        case .opened(let number):
            opening -= 1
            if let waiter = waiters.remove(number: number) { serve(waiter) } else { idle.append(now) }
        case nil: return
        }
        reconcile()
    }

    private mutating func arrive(_ caller: Caller, isMeasured: Bool) {
        if waiters.count == 0, idle.popLast() != nil { return serve((caller, isMeasured)) }
        waiters.join(caller, isMeasured: isMeasured)
        delay.noteJoin()
        reconcile()
    }

    private mutating func endOldestWait() {
        guard let waiter = waiters.removeOldest() else { return }
        delay.noteLeave()
        if waiter.isMeasured { measures.noteWait(timeout, timedOut: true) }
    }

    private mutating func serve(_ waiter: (caller: Caller, isMeasured: Bool)) {
        inUse += 1
        events.add(.release, at: now + waiter.caller.use)
        if waiter.isMeasured { measures.noteWait(now - waiter.caller.moment) }
    }

    // MARK: Decisions

    /// Gives idle connections and permits to the oldest waiters, then closes excess connections.
    private mutating func reconcile() {
        while true {
            if waiters.count > 0 {
                if idle.popLast() != nil {
                    if let waiter = waiters.removeOldest() { serve(waiter) }
                } else if !openForOldestWaiter() {
                    return
                }
            } else if linger == nil, total > policy.maxSize, !idle.isEmpty {
                idle.removeLast()
            } else {
                return
            }
        }
    }

    private mutating func openForOldestWaiter() -> Bool {
        if total > 0, let moment = delay.end(queued: waiters.queued, now: now) {
            delayEnds = min(delayEnds, moment)
            return false
        }
        guard opening < connectCap, total < policy.hardLimit, let number = waiters.beginOpening() else { return false }
        opening += 1
        measures.noteOpening(total: total)
        events.add(.opened(waiter: number), at: now + source.nextConnect())
        return true
    }
}
