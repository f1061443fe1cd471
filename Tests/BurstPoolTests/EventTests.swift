// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

/// One situation, and the events that the observer must get, in order.
private struct Occasion: Sendable, CustomTestStringConvertible {
    let name: String
    var maxSize = 1
    var burstLimit: Int?
    var observesLeases = false
    var configure: @Sendable (inout ConnectionPoolConfiguration) -> Void = { _ in }
    let happens: @Sendable (TestPool, TestStrategy, ManualClock) async throws -> Void
    let told: [String]

    var testDescription: String { name }

    static let all: [Occasion] = [
        Occasion(
            name: "a connection opens for a caller, and is closed by a shutdown",
            happens: { pool, _, _ in
                try await pool.acquire().release()
                await pool.shutdown()
            },
            told: [
                "waitBegan(1)", "opened(0.0 seconds, 1)", "acquired(opened, 0.0 seconds, 1)", "closed(shutdown, nil)",
            ]
        ),
        Occasion(
            name: "the pool opens a connection for no caller",
            happens: { pool, _, _ in try await pool.prewarm(1) },
            told: ["opened(0.0 seconds, nil)"]
        ),
        Occasion(
            name: "a connect takes some time",
            happens: { pool, strategy, clock in
                strategy.onOpen { _ in clock.advance(by: .seconds(2)) }
                try await pool.acquire().release()
            },
            told: ["waitBegan(1)", "opened(2.0 seconds, 1)", "acquired(opened, 2.0 seconds, 1)"]
        ),
        Occasion(
            name: "a connect fails",
            happens: { pool, strategy, clock in
                strategy.onOpen { _ in
                    clock.advance(by: .seconds(2))
                    throw TestError("refused")
                }
                await #expect(throws: TestError.self) { try await pool.acquire() }
            },
            told: [
                "waitBegan(1)", "openFailed(refused, 2.0 seconds, false, 1)", "acquireFailed(refused, 2.0 seconds, 1)",
            ]
        ),
        Occasion(
            name: "callers wait, are served, and time out",
            happens: { pool, _, clock in
                let lease = try await pool.acquire()
                let served = try await pool.startWaiting()
                let late = try await pool.startWaiting(timeout: .seconds(3))
                try await clock.waitForSleepers(1)
                clock.advance(by: .seconds(3))
                await #expect(throws: ConnectionPoolError.self) { try await late.value }
                lease.release()
                try await served.value.release()
            },
            told: [
                "waitBegan(1)", "opened(0.0 seconds, 1)", "acquired(opened, 0.0 seconds, 1)", "waitBegan(2)",
                "limitReached(1)", "waitBegan(3)", "acquireFailed(acquireTimedOut, 3.0 seconds, 3)",
                "acquired(waited, 3.0 seconds, 2)",
            ]
        ),
        Occasion(
            name: "leases of idle connections, with observesLeases",
            observesLeases: true,
            happens: { pool, _, clock in
                try await pool.prewarm(1)
                try await pool.withConnection { _ in clock.advance(by: .seconds(4)) }
                try #require(pool.tryAcquire()).release()
            },
            told: [
                "opened(0.0 seconds, nil)", "acquired(idle, 0.0 seconds, nil)", "released(4.0 seconds)",
                "acquired(idle, 0.0 seconds, nil)", "released(0.0 seconds)",
            ]
        ),
        Occasion(
            name: "leases that were waited for, with observesLeases",
            observesLeases: true,
            happens: { pool, _, clock in
                let lease = try await pool.acquire()
                clock.advance(by: .seconds(1))
                lease.discard()
                try await eventually("the connection is closed") { pool.statistics.total == 0 }
            },
            told: [
                "waitBegan(1)", "opened(0.0 seconds, 1)", "acquired(opened, 0.0 seconds, 1)", "released(1.0 seconds)",
                "closed(discarded, nil)",
            ]
        ),
        Occasion(
            name: "leases of idle connections, without observesLeases",
            happens: { pool, _, _ in
                try await pool.prewarm(1)
                try await pool.withConnection { $0.use() }
                try #require(pool.tryAcquire()).release()
            },
            told: ["opened(0.0 seconds, nil)"]
        ),
        Occasion(
            name: "a burst begins and ends",
            burstLimit: 2,
            happens: { pool, strategy, _ in
                strategy.onClose { _ in throw TestError("close") }
                try await pool.lease(2).release()
                try await eventually("one connection is closed") { pool.statistics.total == 1 }
            },
            told: [
                "waitBegan(1)", "opened(0.0 seconds, 1)", "acquired(opened, 0.0 seconds, 1)", "waitBegan(2)",
                "burstBegan(2, 1)", "opened(0.0 seconds, 2)", "acquired(opened, 0.0 seconds, 2)",
                "closed(excess, close)", "burstEnded(1, 1)",
            ]
        ),
        Occasion(
            name: "a close takes too long",
            configure: { $0.closeTimeout = .seconds(5) },
            happens: { pool, strategy, clock in
                let gate = Gate()
                strategy.onClose { _ in await gate.pass() }
                try await pool.prewarm(1)
                try #require(pool.tryAcquire()).discard()
                try await eventually("the connection is closing") { gate.held == 1 && clock.sleepers > 0 }
                clock.advance(by: .seconds(5))
                try await eventually("the slot is free") { pool.statistics.total == 0 }
                gate.open()
                try await eventually("the connection is closed") { strategy.books.closed == 1 }
            },
            told: ["opened(0.0 seconds, nil)", "closeTimedOut(discarded)", "closed(discarded, nil)"]
        ),
        Occasion(
            name: "a caller is rejected",
            configure: { $0.maxWaiters = 1 },
            happens: { pool, _, _ in
                try await pool.prewarm(1)
                let lease = try #require(pool.tryAcquire())
                let waiter = try await pool.startWaiting()
                await #expect(throws: ConnectionPoolError.self) { try await pool.acquire() }
                lease.release()
                try await waiter.value.release()
            },
            told: [
                "opened(0.0 seconds, nil)", "waitBegan(1)", "limitReached(1)", "waitBegan(2)",
                "acquireFailed(tooManyWaiters, 0.0 seconds, 2)", "acquired(waited, 0.0 seconds, 1)",
            ]
        ),
        Occasion(
            name: "the breaker changes its state",
            configure: { $0.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 1, openFor: .seconds(1)) },
            happens: { pool, strategy, clock in
                strategy.onOpen { attempt in if attempt == 1 { throw TestError("refused") } }
                await #expect(throws: TestError.self) { try await pool.acquire() }
                clock.advance(by: .seconds(1))
                try await pool.acquire().release()
            },
            told: [
                "waitBegan(1)", "breakerChanged(open)", "openFailed(refused, 0.0 seconds, false, 1)",
                "acquireFailed(refused, 0.0 seconds, 1)", "waitBegan(2)", "breakerChanged(halfOpen)",
                "breakerChanged(closed)", "opened(0.0 seconds, 2)", "acquired(opened, 0.0 seconds, 2)",
            ]
        ),
        Occasion(
            name: "a lease becomes overdue, and is released later",
            configure: { $0.leakThreshold = .seconds(16) },
            happens: { pool, _, clock in
                try await pool.prewarm(1)
                let maintenance = try await MaintenanceStepper(pool, clock)
                let lease = try await pool.acquire(timeout: .unlimited, "File/Name.swift", 12)
                try await maintenance.pass(.seconds(17))
                lease.release()
            },
            told: [
                "opened(0.0 seconds, nil)", "leaseOverdue(File/Name.swift:12, 16.0 seconds)",
                "overdueLeaseReturned(File/Name.swift:12, 16.0 seconds)",
            ]
        ),
    ]
}

extension ConnectionPoolEvent {
    /// Waits are numbered in the order in which they began.
    fileprivate func summary(_ number: (ConnectionWait) -> Int) -> String {
        func name(_ wait: ConnectionWait?) -> String { wait.map { "\(number($0))" } ?? "nil" }
        func name(_ error: (any Error)?) -> String {
            guard let error else { return "nil" }
            return (error as? ConnectionPoolError)?.code.description ?? TestError(of: error).name
        }
        return switch self {
        case .opened(let duration, let wait): "opened(\(duration), \(name(wait)))"
        case .openFailed(let error, let duration, let willRetry, let wait):
            "openFailed(\(name(error)), \(duration), \(willRetry), \(name(wait)))"
        case .closed(let reason, let error): "closed(\(reason), \(name(error)))"
        case .closeTimedOut(let reason): "closeTimedOut(\(reason))"
        case .waitBegan(let wait): "waitBegan(\(name(wait)))"
        case .acquired(let how, let waited, let wait): "acquired(\(how), \(waited), \(name(wait)))"
        case .acquireFailed(let error, let waited, let wait): "acquireFailed(\(name(error)), \(waited), \(name(wait)))"
        case .released(let held): "released(\(held))"
        case .burstBegan(let total, let maxSize): "burstBegan(\(total), \(maxSize))"
        case .limitReached(let total): "limitReached(\(total))"
        case .burstEnded(let total, let maxSize): "burstEnded(\(total), \(maxSize))"
        case .breakerChanged(let state): "breakerChanged(\(state))"
        case .leaseOverdue(let place, let age): "leaseOverdue(\(place), \(age))"
        case .overdueLeaseReturned(let place, let age): "overdueLeaseReturned(\(place), \(age))"
        case .shutdownInsideBody(let connections): "shutdownInsideBody(\(connections))"
        case .dropped(let statistics): "dropped(\(statistics.total))"
        }
    }
}

@Suite(.timeLimit(.minutes(5)))
struct EventTests {
    @Test(
        "The observer gets the events in order and with the right values",
        arguments: CoreKind.allCases,
        Occasion.all
    )
    fileprivate func table(kind: CoreKind, occasion: Occasion) async throws {
        try await withTimedPool(
            kind,
            maxSize: occasion.maxSize,
            burstLimit: occasion.burstLimit,
            mostEver: 2,
            observesLeases: occasion.observesLeases,
            configure: occasion.configure
        ) { pool, strategy, clock, observer in
            try await occasion.happens(pool, strategy, clock)
            try await eventually("the observer has the events") { observer.events.count >= occasion.told.count }
            await letOthersRun()
            var waits: [ConnectionWait] = []
            let told = observer.events.map { event in
                event.summary { wait in
                    if let index = waits.firstIndex(of: wait) { return index + 1 }
                    waits.append(wait)
                    return waits.count
                }
            }
            #expect(told == occasion.told)
        }
    }

    @Test("Without an observer, everything works in the same way", arguments: CoreKind.allCases, Occasion.all)
    fileprivate func withoutObserver(kind: CoreKind, occasion: Occasion) async throws {
        let clock = ManualClock()
        var wantsObserver = false
        try await withPool(
            kind,
            maxSize: occasion.maxSize,
            burstLimit: occasion.burstLimit,
            mostEver: 2,
            configure: {
                $0.clock = clock
                $0.acquireTimeout = nil
                occasion.configure(&$0)
                // A leak threshold needs an observer.
                wantsObserver = $0.leakThreshold != nil
                if wantsObserver { $0.observer = RecordingObserver() }
            }
        ) { pool, strategy in
            try await occasion.happens(pool, strategy, clock)
        }
    }

    @Test(
        "The end of a burst is reported, however many callers come and go at the same time",
        arguments: CoreKind.allCases
    )
    func burstsUnderLoad(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, burstLimit: 3) { pool, _, _, observer in
            for _ in 0..<30 {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<6 {
                        group.addTask { try? await pool.withConnection { await $0.use { await Task.yield() } } }
                    }
                }
                try await eventually("the burst is over") { pool.statistics.total == 1 }
                try await eventually("the end is reported") {
                    observer.count("burstBegan") == observer.count("burstEnded")
                }
            }
        }
    }

    @Test(
        "Each time that callers begin to wait at the limit, this is reported once",
        arguments: CoreKind.allCases
    )
    func limitAgain(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, _, observer in
            for round in 1...3 {
                let lease = try await pool.acquire()
                let first = try await pool.startWaiting()
                let second = try await pool.startWaiting()
                #expect(observer.count("limitReached") == round)
                lease.release()
                try await first.value.release()
                try await second.value.release()
            }
        }
    }
}
