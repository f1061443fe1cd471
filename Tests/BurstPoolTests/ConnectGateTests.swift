// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPool

/// The parts of the connect gate: the circuit breaker between two callers, and rounds of failures.
struct ConnectGateTests {
    /// The gate reads the time between its look at the breaker and the reservation of an attempt. There, another caller
    /// can act.
    private final class Scene {
        let gate: ConnectGate
        var time: UInt64 = 1

        init() throws {
            var configuration = ConnectionPoolConfiguration(maxSize: 4)
            configuration.maxConcurrentConnects = 1
            configuration.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 1, openFor: .seconds(10))
            gate = try #require(ConnectGate(configuration))
        }

        func ask(meanwhile: () -> Void = {}) -> ConnectGate.Answer {
            var isFirst = true
            return gate.ask(mayBeServed: true, queued: { 1 }) {
                let time = self.time
                if isFirst {
                    isFirst = false
                    meanwhile()
                }
                return time
            }
        }

        func attempt(succeeds: Bool) {
            guard case .open(let attempt) = ask() else {
                Issue.record("the gate is closed")
                return
            }
            if succeeds {
                _ = gate.noteSuccess(attempt)
            } else {
                _ = gate.noteFailure(attempt, permanent: nil, now: time)
            }
        }

        /// A failure, and the time for which the breaker stays open.
        func waitUntilHalfOpen() {
            attempt(succeeds: false)
            time += 11_000_000_000
        }
    }

    @Test("A caller may open a connection after another caller's probe has succeeded in between")
    func probedByAnother() throws {
        let scene = try Scene()
        scene.waitUntilHalfOpen()
        let answer = scene.ask { scene.attempt(succeeds: true) }
        guard case .open = answer else {
            Issue.record("the answer is \(answer)")
            return
        }
    }

    @Test("A caller waits after another caller's probe has failed in between")
    func openedAnew() throws {
        let scene = try Scene()
        scene.waitUntilHalfOpen()
        let answer = scene.ask { scene.attempt(succeeds: false) }
        guard case .circuitOpen(let until) = answer else {
            Issue.record("the answer is \(answer)")
            return
        }
        #expect(until == scene.time + 10_000_000_000)
        // The caller has cancelled its reservation.
        scene.time += 11_000_000_000
        scene.attempt(succeeds: true)
    }

    @Test("A breaker that stays open for longer than can be represented stays open")
    func veryLong() throws {
        var configuration = ConnectionPoolConfiguration(maxSize: 4)
        configuration.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 1, openFor: .seconds(Int64.max) * 2)
        let gate = try #require(ConnectGate(configuration))
        guard case .open(let attempt) = gate.ask(mayBeServed: true, queued: { 1 }, now: { 5 }) else {
            Issue.record("the gate is closed")
            return
        }
        _ = gate.noteFailure(attempt, permanent: nil, now: 5)
        guard case .circuitOpen(.max) = gate.ask(mayBeServed: true, queued: { 1 }, now: { 6 }) else {
            Issue.record("the breaker is closed")
            return
        }
    }

    @Test("Attempts that run at the same time count as one failure, and a success resets the count")
    func rounds() {
        let rounds = FailureRounds()
        let first = rounds.current
        #expect(rounds.noteFailure(in: first) == 1)
        for _ in 0..<7 { #expect(rounds.noteFailure(in: first) == nil) }
        let second = rounds.current
        #expect(second != first)
        #expect(rounds.noteFailure(in: second) == 2)
        rounds.noteSuccess()
        #expect(rounds.noteFailure(in: second) == nil, "the attempt began before the success")
        #expect(rounds.noteFailure(in: rounds.current) == 1)
    }

    @Test("A breaker with failingFor opens after that time, whatever the number of failures")
    func failingFor() {
        let breaker = CircuitBreaker(ConnectionCircuitBreaker(failingFor: .seconds(10), openFor: .seconds(1)))
        for failures in 1...100 {
            #expect(breaker.noteFailure(failures, isProbe: false, now: 5 + UInt64(failures)) == nil)
        }
        #expect(breaker.noteFailure(101, isProbe: false, now: 10_000_000_006) == .open)
        #expect(breaker.noteSuccess() == .closed)
        #expect(breaker.noteFailure(1, isProbe: false, now: 20_000_000_000) == nil)
    }
}
