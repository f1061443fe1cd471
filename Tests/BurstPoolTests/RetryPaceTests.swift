// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPool

/// What callers get between a failed attempt and the next one.
struct RetryPaceTests {
    /// Returns a gate whose first attempt failed at moment 5.
    ///
    /// A pause is random between 0 and its bound. The probability of one below a nanosecond is one in 10 to the power
    /// of 15.
    private func gateAfterFailure(permanent: (any Error)?) throws -> ConnectGate {
        var configuration = ConnectionPoolConfiguration(maxSize: 4)
        configuration.connectRetry = ConnectionBackoff(base: .seconds(1_000_000), cap: .seconds(1_000_000))
        configuration.maxConcurrentConnects = nil
        configuration.circuitBreaker = nil
        configuration.connectDelay = nil
        let gate = try #require(ConnectGate(configuration))
        guard case .open(let attempt) = ask(gate, now: 5) else {
            Issue.record("the gate is closed before any attempt has failed")
            throw CancellationError()
        }
        _ = gate.noteFailure(attempt, permanent: permanent, now: 5)
        return gate
    }

    private func ask(_ gate: ConnectGate, now: UInt64) -> ConnectGate.Answer {
        gate.ask(mayBeServed: false, queued: { 1 }, now: { now })
    }

    @Test("After a permanent error, callers get that error until one attempt is made")
    func permanent() throws {
        let gate = try gateAfterFailure(permanent: TestError("wrong password"))
        guard case .refused(let error, let pauseEnd) = ask(gate, now: 5) else {
            Issue.record("the caller waits")
            return
        }
        #expect(error as? TestError == TestError("wrong password"))
        guard case .open(let attempt) = ask(gate, now: pauseEnd) else {
            Issue.record("the gate is closed after the pause")
            return
        }
        guard case .full = ask(gate, now: pauseEnd) else {
            Issue.record("a second attempt with the same credentials may run")
            return
        }
        _ = gate.noteSuccess(attempt)
        for _ in 0..<2 {
            guard case .open = ask(gate, now: pauseEnd) else {
                Issue.record("the success has not ended the restriction")
                return
            }
        }
    }

    @Test("After any other error, callers wait until several attempts may run")
    func temporary() throws {
        let gate = try gateAfterFailure(permanent: nil)
        guard case .closed(let pauseEnd) = ask(gate, now: 5) else {
            Issue.record("the caller does not wait")
            return
        }
        #expect(gate.nextMoment == pauseEnd)
        for _ in 0..<2 {
            guard case .open = ask(gate, now: pauseEnd) else {
                Issue.record("the gate is closed after the pause")
                return
            }
        }
    }
}
