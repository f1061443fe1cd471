// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The state of a ``ConnectionCircuitBreaker``.
struct CircuitBreaker: ~Copyable, Sendable {
    typealias State = ConnectionCircuitBreaker.State

    enum Answer {
        /// The breaker is closed: attempts are free.
        case closed
        /// This attempt is the probe that decides.
        case probe
        /// Another attempt is the probe.
        case probeIsRunning
        case open(until: UInt64)
    }

    private enum Phase: UInt8, AtomicRepresentable {
        case closed, open, halfOpen
    }

    private let configuration: ConnectionCircuitBreaker?
    private let phase = Atomic(Phase.closed)
    private let openUntil = Atomic<UInt64>(0)
    /// When the first of the failures in a row was noted; 0 if the latest attempt has succeeded.
    private let failingSince = Atomic<UInt64>(0)

    init(_ configuration: ConnectionCircuitBreaker?) {
        self.configuration = configuration
    }

    /// The time limit of a probe in a pool whose attempts have none: without one, a probe that hangs would keep the breaker
    /// half open for ever.
    var probeTimeout: Duration? { configuration?.openFor }

    var isHalfOpen: Bool { phase.load(ordering: .sequentiallyConsistent) == .halfOpen }

    /// Returns until when no attempt may begin, or `nil` if one may.
    func openUntil(now: () -> UInt64) -> UInt64? {
        guard phase.load(ordering: .sequentiallyConsistent) == .open else { return nil }
        let until = openUntil.load(ordering: .sequentiallyConsistent)
        return now() < until ? until : nil
    }

    /// Asks whether an attempt may begin. A caller that gets `.probe` calls ``cancelProbe()``, ``noteFailure(_:now:)`` or
    /// ``noteSuccess()``.
    func ask(now: () -> UInt64) -> Answer {
        guard configuration != nil else { return .closed }
        while true {
            switch phase.load(ordering: .sequentiallyConsistent) {
            case .closed: return .closed
            case .halfOpen: return .probeIsRunning
            case .open:
                let until = openUntil.load(ordering: .sequentiallyConsistent)
                if now() < until { return .open(until: until) }
                guard move(.open, to: .halfOpen) else { continue }
                // The probe of another thread may have failed in between, which has opened the breaker anew.
                if openUntil.load(ordering: .sequentiallyConsistent) == until { return .probe }
                _ = move(.halfOpen, to: .open)
            }
        }
    }

    /// Gives up a probe that has not begun.
    func cancelProbe() {
        _ = move(.halfOpen, to: .open)
    }

    /// Notes a failed round of attempts. Returns the new state if it has changed.
    ///
    /// - Parameters:
    ///   - failures: The number of failed rounds in a row, at least 1.
    ///   - isProbe: Whether the attempt was the probe.
    func noteFailure(_ failures: Int, isProbe: Bool, now: UInt64) -> State? {
        guard let configuration else { return nil }
        _ = failingSince.compareExchange(expected: 0, desired: now, ordering: .sequentiallyConsistent)
        let since = failingSince.load(ordering: .sequentiallyConsistent)
        guard isProbe || configuration.opens(after: failures, over: now.subtractingSaturated(since)) else { return nil }
        openUntil.store(now.addingSaturated(configuration.openFor.nanoseconds), ordering: .sequentiallyConsistent)
        return phase.exchange(.open, ordering: .sequentiallyConsistent) == .open ? nil : .open
    }

    /// Notes that a connection has opened. Returns the new state if it has changed.
    func noteSuccess() -> State? {
        guard configuration != nil else { return nil }
        failingSince.store(0, ordering: .sequentiallyConsistent)
        return phase.exchange(.closed, ordering: .sequentiallyConsistent) == .closed ? nil : .closed
    }

    private func move(_ old: Phase, to new: Phase) -> Bool {
        phase.compareExchange(expected: old, desired: new, ordering: .sequentiallyConsistent).exchanged
    }
}

extension ConnectionCircuitBreaker {
    /// Whether the breaker opens after so many failed rounds in a row, the first of which was so many nanoseconds ago.
    fileprivate func opens(after failures: Int, over nanoseconds: UInt64) -> Bool {
        if let failingFor { return nanoseconds >= failingFor.nanoseconds }
        return failures >= failureThreshold
    }
}
