import Synchronization

/// Whether one more connection may be opened now: how many at the same time, how soon after a failure, and whether to wait
/// for one to come back first.
///
/// Whoever is turned away goes. What lets it through then is a turn given back, after which the giver reconciles, or the
/// time, for which there is a ``ConnectAlarm``; so nobody is forgotten.
@usableFromInline
final class ConnectGate: Sendable {
    enum Answer {
        /// Go, and give the turn back.
        case open
        /// Whoever has the turns reconciles when it gives one back.
        case noTurn
        case closed(until: UInt64)
        case circuitOpen(until: UInt64)
    }

    private let turnLimit: Int
    private let backoff: ConnectionBackoff?
    private let breaker: ConnectionCircuitBreaker?
    private let delay: UInt64

    private let turnsTaken = Atomic(0)
    private let failures = Atomic(0)
    /// 0: not closed.
    private let closedUntil = Atomic<UInt64>(0)
    private let breakerState = Atomic(BreakerState.closed)
    /// Whether the attempt of the half-open breaker has begun, and was told of.
    private let isProbing = Atomic(false)

    // Callers are numbered as they join the queue, those who leave it early left out.
    private let joins = Atomic(0)
    /// When the present delay has begun; 0: none has.
    private let delayBegan = Atomic<UInt64>(0)
    private let joinsAtBegin = Atomic(0)
    /// Callers with lower numbers have waited for longer than the delay.
    private let matured = Atomic(0)

    private enum BreakerState: UInt8, AtomicRepresentable {
        case closed, open, halfOpen
    }

    /// `nil` if nothing ever keeps a connection from being opened.
    init?(_ configuration: ConnectionPoolConfiguration) {
        guard
            configuration.maxConcurrentConnects != nil || configuration.connectRetry != nil
                || configuration.circuitBreaker != nil || configuration.connectDelay != nil
        else { return nil }
        turnLimit = configuration.maxConcurrentConnects ?? .max
        backoff = configuration.connectRetry
        breaker = configuration.circuitBreaker
        delay = configuration.connectDelay?.nanoseconds ?? 0
    }

    var retries: Bool { backoff != nil }

    // MARK: Turns

    /// - Parameters:
    ///   - mayReturn: Whether it is for somebody who can wait for a connection to come back.
    ///   - queued: How many wait for whom no connection is being opened.
    func take(mayReturn: Bool, queued: () -> Int, now: () -> UInt64) -> Answer {
        while true {
            switch breakerState.load(ordering: .sequentiallyConsistent) {
            case .closed:
                let until = closedUntil.load(ordering: .sequentiallyConsistent)
                if until > 0, now() < until { return .closed(until: until) }
                if delay > 0, mayReturn, let until = delayEnd(queued, now) { return .closed(until: until) }
                return takeTurn() ? .open : .noTurn
            case .open:
                let until = closedUntil.load(ordering: .sequentiallyConsistent)
                if now() < until { return .circuitOpen(until: until) }
                guard takeTurn() else { return .noTurn }
                if move(.open, to: .halfOpen) {
                    if closedUntil.load(ordering: .sequentiallyConsistent) == until { return .open }
                    // An attempt of another one has failed meanwhile: the breaker has opened anew.
                    _ = move(.halfOpen, to: .open)
                }
                // Another one makes the attempt, or has made it. If it has, it has reconciled already, and may have found no turn
                // because it was taken here: so look again.
                giveTurnBack()
            case .halfOpen:
                return .noTurn
            }
        }
    }

    private func takeTurn() -> Bool {
        var found = turnsTaken.load(ordering: .sequentiallyConsistent)
        while found < turnLimit {
            let (exchanged, original) = turnsTaken.compareExchange(
                expected: found,
                desired: found + 1,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return true }
            found = original
        }
        return false
    }

    private func giveTurnBack() {
        turnsTaken.subtract(1, ordering: .sequentiallyConsistent)
        // Pairs with the load in takeTurn(), which follows what made room: orders what the caller looks at next.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// There was nothing to open.
    @usableFromInline
    func giveBackUnused() {
        if !isProbing.load(ordering: .sequentiallyConsistent) { _ = move(.halfOpen, to: .open) }
        giveTurnBack()
    }

    /// An attempt begins, with a turn that was taken.
    func noteAttempt(changed: (ConnectionCircuitBreaker.State) -> Void) {
        guard breaker != nil, breakerState.load(ordering: .sequentiallyConsistent) == .halfOpen else { return }
        if !isProbing.exchange(true, ordering: .sequentiallyConsistent) { changed(.halfOpen) }
    }

    /// A connection has opened. To be followed by reconciling, as are the next two.
    func succeeded(changed: (ConnectionCircuitBreaker.State) -> Void) {
        failures.store(0, ordering: .sequentiallyConsistent)
        closedUntil.store(0, ordering: .sequentiallyConsistent)
        isProbing.store(false, ordering: .sequentiallyConsistent)
        if breakerState.exchange(.closed, ordering: .sequentiallyConsistent) != .closed { changed(.closed) }
        giveTurnBack()
    }

    /// A connection did not open.
    func failed(isPermanent: Bool, now: () -> UInt64, changed: (ConnectionCircuitBreaker.State) -> Void) {
        let failures = failures.add(1, ordering: .sequentiallyConsistent).newValue
        let state = breakerState.load(ordering: .sequentiallyConsistent)
        if let breaker, state == .halfOpen || failures >= breaker.failureThreshold {
            close(until: now().addingSaturated(breaker.openFor.nanoseconds))
            isProbing.store(false, ordering: .sequentiallyConsistent)
            if breakerState.exchange(.open, ordering: .sequentiallyConsistent) != .open { changed(.open) }
        } else if let backoff, !isPermanent {
            close(until: now().addingSaturated(backoff.delay(afterFailures: failures)))
        }
        giveTurnBack()
    }

    private func close(until moment: UInt64) {
        closedUntil.store(moment, ordering: .sequentiallyConsistent)
    }

    private func move(_ old: BreakerState, to new: BreakerState) -> Bool {
        breakerState.compareExchange(expected: old, desired: new, ordering: .sequentiallyConsistent).exchanged
    }

    // MARK: Waiting for a return first

    /// A caller joins the queue.
    @usableFromInline
    func noteJoin() {
        if delay > 0 { joins.add(1, ordering: .relaxed) }
    }

    /// A caller that ``noteJoin()`` was called for has not been let into the queue, or has left it without a connection.
    ///
    /// Were it not left out, the oldest would be taken for younger than it is: where many come and go it would never be
    /// let pass. Left out, others are taken for older than they are, until the next delay begins at the latest.
    func noteLeave() {
        if delay > 0 { joins.subtract(1, ordering: .relaxed) }
    }

    /// When a connection may be opened for the oldest caller, who has not waited for long enough; `nil`: it has.
    ///
    /// Delays follow each other while somebody waits, and one that has ended lets all pass who had joined before it began.
    /// So each waits for one at the least and for two at the most.
    private func delayEnd(_ queued: () -> Int, _ now: () -> UInt64) -> UInt64? {
        if oldestHasMatured(queued()) { return nil }
        let now = now()
        let began = delayBegan.load(ordering: .acquiring)
        if began > 0, now >= began.addingSaturated(delay) {
            matured.store(joinsAtBegin.load(ordering: .relaxed), ordering: .relaxed)
            _ = delayBegan.compareExchange(expected: began, desired: 0, ordering: .acquiringAndReleasing)
            if oldestHasMatured(queued()) { return nil }
        }
        let (begins, found) = delayBegan.compareExchange(expected: 0, desired: now, ordering: .acquiringAndReleasing)
        if begins { joinsAtBegin.store(joins.load(ordering: .relaxed), ordering: .relaxed) }
        return (begins ? now : found).addingSaturated(delay)
    }

    /// The queue is in the order of the numbers. Where nobody waits there is nothing to put off.
    private func oldestHasMatured(_ queued: Int) -> Bool {
        queued == 0 || joins.load(ordering: .relaxed) - queued < matured.load(ordering: .relaxed)
    }
}

/// Settles when the gate opens.
@usableFromInline
final class ConnectAlarm: Sendable {
    private let sleeper = ReplaceableTask()
    /// The moment; 0: not set.
    private let moment = Atomic<UInt64>(0)

    /// Sees to it that the engine reconciles at that moment, or earlier.
    func arm<Strategy, Core>(at new: UInt64, _ engine: _PoolEngine<Strategy, Core>) {
        var old = moment.load(ordering: .sequentiallyConsistent)
        while old == 0 || new < old {
            let (exchanged, found) = moment.compareExchange(
                expected: old,
                desired: new,
                ordering: .sequentiallyConsistent
            )
            guard exchanged else {
                old = found
                continue
            }
            var wanted = new
            repeat {
                sleeper.replace { [wanted] in await Self.run(engine, until: wanted) }
                if engine.core.isShutDown { return disarm() }
                // Another one may have set it to another moment meanwhile, and this call have replaced its sleeper.
                old = moment.load(ordering: .sequentiallyConsistent)
                if old == 0 || old == wanted { return }
                wanted = old
            } while true
        }
    }

    func disarm() {
        sleeper.cancel()
    }

    var isSet: Bool { moment.load(ordering: .sequentiallyConsistent) != 0 }

    private static func run<Strategy, Core>(_ engine: _PoolEngine<Strategy, Core>, until moment: UInt64) async {
        do { try await engine.clock.sleep(until: moment) } catch { return }
        engine.connectAlarm.moment.store(0, ordering: .sequentiallyConsistent)
        engine.reconcile()
        engine.topUp()
    }
}
