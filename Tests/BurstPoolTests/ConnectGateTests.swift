import Testing

@testable import BurstPool

/// What another caller does between a caller's look at the breaker and its turn: the gate asks for the time in between.
struct ConnectGateTests {
    private final class Scene {
        let gate: ConnectGate
        var time: UInt64 = 1

        init() throws {
            var configuration = ConnectionPoolConfiguration(maxSize: 4)
            configuration.maxConcurrentConnects = 1
            configuration.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 1, openFor: .seconds(10))
            gate = try #require(ConnectGate(configuration))
        }

        func take(meanwhile: () -> Void = {}) -> ConnectGate.Answer {
            var isFirst = true
            return gate.take(mayReturn: true, queued: { 1 }) {
                let time = self.time
                if isFirst {
                    isFirst = false
                    meanwhile()
                }
                return time
            }
        }

        func attempt(succeeds: Bool) {
            guard case .open = take() else {
                Issue.record("no turn")
                return
            }
            gate.noteAttempt { _ in }
            if succeeds { gate.succeeded { _ in } } else { gate.failed(isPermanent: false, now: { time }) { _ in } }
        }

        /// After a failure, and when the breaker has been open for as long as it is to be.
        func letTheBreakerOpen() {
            attempt(succeeds: false)
            time += 11_000_000_000
        }
    }

    @Test("A caller that takes a turn for the breaker's attempt, which another has just made with success, goes on")
    func probedBySomebodyElse() throws {
        let scene = try Scene()
        scene.letTheBreakerOpen()
        let answer = scene.take { scene.attempt(succeeds: true) }
        // The other one, reconciling, has found no turn: it is for this one to open.
        guard case .open = answer else {
            Issue.record("the answer is \(answer)")
            return
        }
    }

    @Test("A caller that takes a turn for the breaker's attempt, which another has just made in vain, waits")
    func openedAnew() throws {
        let scene = try Scene()
        scene.letTheBreakerOpen()
        let answer = scene.take { scene.attempt(succeeds: false) }
        guard case .circuitOpen(let until) = answer else {
            Issue.record("the answer is \(answer)")
            return
        }
        #expect(until == scene.time + 10_000_000_000)
        // And has given its turn back.
        scene.time += 11_000_000_000
        scene.attempt(succeeds: true)
    }

    @Test("A breaker that is to stay open for as long as can be said, does")
    func forEver() throws {
        var configuration = ConnectionPoolConfiguration(maxSize: 4)
        configuration.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 1, openFor: .seconds(Int64.max) * 2)
        let gate = try #require(ConnectGate(configuration))
        guard case .open = gate.take(mayReturn: true, queued: { 1 }, now: { 5 }) else {
            Issue.record("no turn")
            return
        }
        gate.failed(isPermanent: false, now: { 5 }) { _ in }
        guard case .circuitOpen(.max) = gate.take(mayReturn: true, queued: { 1 }, now: { 6 }) else {
            Issue.record("the breaker is closed")
            return
        }
    }
}
