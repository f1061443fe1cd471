// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Decides whether one more connection may be opened now.
///
/// A caller that is refused leaves. It is not forgotten: the gate says when it opens again, at which moment the pool
/// reconciles, or another attempt is running, and the pool reconciles when that has ended.
@usableFromInline
final class ConnectGate: Sendable {
    enum Answer {
        /// Begin the attempt, and report its end to the gate.
        case open(Attempt)
        /// As many attempts run as may. The pool reconciles when one of them has ended.
        case full
        case closed(until: UInt64)
        /// As `closed`, and callers that need a new connection get this error until then.
        case refused(any Error, until: UInt64)
        case circuitOpen(until: UInt64)
    }

    /// An attempt that the gate has let through.
    @usableFromInline
    struct Attempt: Sendable {
        fileprivate let round: FailureRounds.Round
        /// Whether the attempt is the probe of a half-open circuit breaker.
        let isProbe: Bool
    }

    private let cap: ConnectCap
    private let rounds = FailureRounds()
    private let pace: RetryPace
    private let breaker: CircuitBreaker
    private let delay: ConnectDelay
    /// When the gate opens for the callers that it has refused.
    private let opensAt = EarliestMoment()

    /// Returns `nil` if nothing ever keeps the pool from opening a connection.
    init?(_ configuration: ConnectionPoolConfiguration) {
        guard
            configuration.maxConcurrentConnects != nil || configuration.connectRetry != nil
                || configuration.circuitBreaker != nil || configuration.connectDelay != nil
        else { return nil }
        cap = ConnectCap(configuration.maxConcurrentConnects)
        pace = RetryPace(configuration.connectRetry)
        breaker = CircuitBreaker(configuration.circuitBreaker)
        delay = ConnectDelay(configuration.connectDelay)
    }

    /// Whether a caller whose attempt has failed waits for another one.
    var retries: Bool { pace.retries }

    var probeTimeout: Duration? { breaker.probeTimeout }

    // MARK: Asking

    /// Asks for one attempt.
    ///
    /// - Parameters:
    ///   - mayBeServed: Whether the caller can wait for a connection to be released instead.
    ///   - isHealthCheck: Whether the attempt is made for a health check, which sets its own pace. It does not wait for the
    ///     pause after a failure, unless the failure was permanent.
    ///   - queued: The number of waiters for whom no connection is being opened.
    func ask(mayBeServed: Bool, isHealthCheck: Bool = false, queued: () -> Int, now: () -> UInt64) -> Answer {
        while true {
            let round = rounds.current
            if let answer = answerBeforeCap(mayBeServed, isHealthCheck, queued, now) { return answer }
            // The cap before the breaker: a probe that is reserved and then not begun would refuse other callers.
            guard cap.take(temporaryLimit: pace.allowsOneAttempt ? 1 : .max) else { return .full }
            switch breaker.ask(now: now) {
            case .closed: return .open(Attempt(round: round, isProbe: false))
            case .probe: return .open(Attempt(round: round, isProbe: true))
            case .open: cap.giveBack()
            case .probeIsRunning:
                cap.giveBack()
                // The probe may have ended while this call had its place under the cap, and the thread that ended it may
                // have been refused for that reason: ask again.
                if breaker.isHalfOpen { return .full }
            }
        }
    }

    private func answerBeforeCap(
        _ mayBeServed: Bool,
        _ isHealthCheck: Bool,
        _ queued: () -> Int,
        _ now: () -> UInt64
    ) -> Answer? {
        if let until = breaker.openUntil(now: now) {
            opensAt.lower(to: until)
            return .circuitOpen(until: until)
        }
        if !isHealthCheck || pace.allowsOneAttempt, let until = pace.pauseEnd(now: now) {
            opensAt.lower(to: until)
            return pace.errorForCallers.map { .refused($0, until: until) } ?? .closed(until: until)
        }
        if mayBeServed, let until = delay.end(queued: queued, now: now) {
            opensAt.lower(to: until)
            return .closed(until: until)
        }
        return nil
    }

    // MARK: Attempts. Each of these calls is followed by reconciling.

    /// Cancels an attempt for which no permit was free, or for which no caller was waiting.
    func cancel(_ attempt: Attempt) {
        if attempt.isProbe { breaker.cancelProbe() }
        cap.giveBack()
    }

    /// Notes that an attempt has opened a connection. Returns the new state of the breaker if it has changed.
    func noteSuccess(_ attempt: Attempt) -> ConnectionCircuitBreaker.State? {
        rounds.noteSuccess()
        pace.noteSuccess()
        let change = breaker.noteSuccess()
        cap.giveBack()
        return change
    }

    /// Notes that an attempt has failed. Returns the new state of the breaker if it has changed.
    ///
    /// - Parameter permanent: The error, if the strategy calls it permanent.
    func noteFailure(_ attempt: Attempt, permanent: (any Error)?, now: UInt64) -> ConnectionCircuitBreaker.State? {
        var change: ConnectionCircuitBreaker.State?
        if let failures = rounds.noteFailure(in: attempt.round) {
            change = breaker.noteFailure(failures, isProbe: attempt.isProbe, now: now)
            pace.noteFailure(failures, permanent: permanent, now: now)
        } else if attempt.isProbe {
            change = breaker.noteFailure(1, isProbe: true, now: now)
        }
        cap.giveBack()
        return change
    }

    // MARK: Waiting for a release first

    /// Notes that a caller joins the wait queue.
    @usableFromInline
    func noteJoin() { delay.noteJoin() }

    /// Notes that a caller for whom ``noteJoin()`` was called has left without a connection.
    func noteLeave() { delay.noteLeave() }

    // MARK: Time

    /// The moment at which the pool must reconcile because the gate opens; `UInt64.max` if there is none.
    var nextMoment: UInt64 { opensAt.value }

    /// Returns whether the gate has opened since the last call.
    func hasOpened(now: UInt64) -> Bool { opensAt.resetIfDue(now: now) }
}
