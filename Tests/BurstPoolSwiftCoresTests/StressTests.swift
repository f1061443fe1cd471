// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolSwiftCores
import Foundation
import Synchronization
import Testing

/// Real threads that acquire, release, wait, cancel each other's waits, time out, discard, fail to open, resize, sweep,
/// pause, and are rejected.
///
/// Every broken rule ends the program, because a thread that waits without end cannot be stopped.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StressTests {
    @Test(arguments: CoreKind.allCases)
    func `threads never share a connection, and lose none`(_ kind: CoreKind) async throws {
        func check(_ type: (some MeasurableCore).Type) async throws {
            let stress = try Stress(type, hardLimit: 3)
            await onThreads(5) { number in stress.work(seed: UInt64(number), rounds: 20_000) }
            stress.finish()
        }
        try await check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `threads that are rejected, paused and beside a sweep never share a connection either`(
        _ kind: CoreKind
    ) async throws {
        func check(_ type: (some MeasurableCore).Type) async throws {
            let stress = try Stress(type, hardLimit: 2, maxWaiters: 2)
            await onThreads(6) { number in
                if number == 0 {
                    stress.maintain(rounds: 4000)
                } else {
                    stress.work(seed: UInt64(number), rounds: 10_000)
                }
            }
            stress.finish()
        }
        try await check(kind.type)
    }

    @Test(arguments: CoreKind.allCases)
    func `threads that never wait never share a connection either`(_ kind: CoreKind) async throws {
        func check(_ type: (some MeasurableCore).Type) async throws {
            let stress = try Stress(type, hardLimit: 8)
            await onThreads(4) { number in stress.work(seed: UInt64(number), rounds: 50_000) }
            stress.finish()
        }
        try await check(kind.type)
    }
}

/// The content of a slot: whether a thread uses it, and how often it was used. The latter is not atomic on purpose.
private struct Connection: ~Copyable {
    let users = Atomic<Int>(0)
    var uses = 0
}

private final class Stress<Core: MeasurableCore>: Sendable {
    /// Blocks a thread until another thread has a lease for it.
    private final class Sleeper: @unchecked Sendable {
        let semaphore = DispatchSemaphore(value: 0)
        var lease: Core.Lease?

        func wake(_ lease: Core.Lease?) {
            self.lease = lease
            semaphore.signal()
        }

        func sleep() -> Core.Lease? {
            guard semaphore.wait(timeout: .now() + 60) == .success else { fatalError("a wake-up was lost") }
            return lease
        }
    }

    let core: Core
    private let hardLimit: Int
    private let openConnections = Atomic<Int>(0)
    private let leases = Atomic<Int>(0)
    private let usesOfClosed = Atomic<Int>(0)
    private let clock = Atomic<UInt64>(1)
    /// A ticket that another thread may cancel.
    private let mailbox = Mutex<Core.Ticket?>(nil)

    init(_ type: Core.Type, hardLimit: Int, maxWaiters: Int? = nil) throws {
        self.hardLimit = hardLimit
        core = try Core(
            _PoolCoreConfiguration(
                limits: _PoolCoreLimits(maxSize: hardLimit, hardLimit: hardLimit),
                maxWaiters: maxWaiters,
                elementSize: MemoryLayout<Connection>.size,
                elementAlignment: MemoryLayout<Connection>.alignment,
                owner: Unmanaged<AnyObject>.passRetained(NSObject())
            )
        )
    }

    func work(seed: UInt64, rounds: Int) {
        var random = SplitMix(state: seed &* 7919)
        for _ in 0..<rounds {
            if let lease = core.tryAcquire() ?? wait(&random) { use(lease, &random) }
            if random.oneIn(16) {
                let now = clock.wrappingAdd(1, ordering: .relaxed).newValue
                _ = core.expire(now: now) { self.wake($0, nil) }
            }
            if random.oneIn(8), let ticket = mailbox.withLock({ $0.take() }) { cancel(ticket) }
            if random.oneIn(512) {
                let soft = Int(random.next() % UInt64(hardLimit)) + 1
                require(core.resize(_PoolCoreLimits(maxSize: soft, hardLimit: hardLimit)), "not shut down")
                reconcile(&random)
            }
        }
    }

    /// Runs on one thread: sweeps, and sometimes pauses, for this number of rounds.
    func maintain(rounds: Int) {
        var random = SplitMix(state: 4711)
        for _ in 0..<rounds {
            if random.oneIn(16) {
                core.pause()
                core.pause()
                sched_yield()
                require(core.isPaused, "no other thread ends the pause")
                core.resume()
                reconcile(&random)
            }
            sweep(&random)
            let slots = (0..<hardLimit).compactMap { core.slot(at: $0) }
            require(core.slot(at: hardLimit) == nil && slots.count <= hardLimit, "no more slots than the hard limit")
        }
        require(core.sweepEnd() == nil, "all swept connections are back")
    }

    private func sweep(_ random: inout SplitMix) {
        for _ in 0..<hardLimit {
            guard let lease = core.sweepNext() else { break }
            require(
                connection(of: lease).pointee.users.load(ordering: .relaxed) == 0,
                "no thread uses an idle connection"
            )
            if random.oneIn(16) {
                core.beginClose(lease)
                close(lease)
                reconcile(&random)
            } else if core.sweepKeep(lease) {
                reconcile(&random)
            }
        }
        while let needsReconciling = core.sweepEnd() {
            if needsReconciling { reconcile(&random) }
        }
    }

    /// Checks, when all threads have ended, that nothing is in use, and that closing the rest leaves nothing.
    func finish() {
        let counts = core.counts
        require(counts.leased == 0 && counts.opening == 0 && counts.closing == 0, "nothing is in use: \(counts)")
        require(counts.waiting == 0 && !core.hasWaiters, "no caller waits: \(counts)")
        require(counts.idle == core.total && core.total == openConnections.load(ordering: .relaxed), "all are idle")
        core.shutdown()
        var random = SplitMix(state: 0)
        reconcile(&random)
        require(core.total == 0 && openConnections.load(ordering: .relaxed) == 0, "all are closed")
        require(usesOfClosed.load(ordering: .relaxed) == leases.load(ordering: .relaxed), "no use was overwritten")
        core.destroy()
    }

    // MARK: Steps of a thread

    private func wait(_ random: inout SplitMix) -> Core.Lease? {
        let sleeper = Unmanaged.passRetained(Sleeper())
        let deadline = random.oneIn(8) ? clock.load(ordering: .relaxed) + random.next() % 64 : .max
        guard let ticket = try? core.prepareWait() else { fatalError("no ticket") }
        if random.oneIn(4) { mailbox.withLock { $0 = ticket } }
        return withExtendedLifetime(sleeper.takeUnretainedValue()) { it in
            guard case .joined = core.joinWait(ticket, context: sleeper.toOpaque(), deadline: deadline) else {
                sleeper.release()
                return nil
            }
            reconcile(&random)
            if random.oneIn(16) { cancel(ticket) }
            return it.sleep()
        }
    }

    private func use(_ lease: Core.Lease, _ random: inout SplitMix) {
        let connection = connection(of: lease)
        require(connection.pointee.users.add(1, ordering: .relaxed).newValue == 1, "one user")
        connection.pointee.uses += 1
        leases.add(1, ordering: .relaxed)
        if random.oneIn(64) { sched_yield() }
        require(connection.pointee.users.subtract(1, ordering: .relaxed).newValue == 0, "one user")
        if random.oneIn(64) {
            core.beginClose(lease)
            close(lease)
            reconcile(&random)
        } else if core.release(lease) {
            reconcile(&random)
        }
    }

    private func reconcile(_ random: inout SplitMix) {
        while true {
            if core.hasWaiters {
                guard serveOldest(&random) else { return }
            } else if core.hasExcess {
                guard let lease = core.takeIdle() else { return }
                if core.beginCloseExcess(lease) { close(lease) } else { core.returnIdle(lease) }
            } else {
                return
            }
        }
    }

    private func serveOldest(_ random: inout SplitMix) -> Bool {
        if let lease = core.takeIdle() {
            if let waiter = core.handOff() { wake(waiter, lease) } else { core.returnIdle(lease) }
            return true
        }
        guard case .opening(let ticket, let permit) = core.beginOpen() else { return false }
        if random.oneIn(8) {
            core.cancelOpen(permit)
            // The next round of reconciling serves the requeued waiter.
            if random.oneIn(2) { cancel(ticket) } else { _ = core.requeueWait(ticket) }
            return true
        }
        require(openConnections.add(1, ordering: .relaxed).newValue <= hardLimit, "the hard limit")
        connection(of: permit).initialize(to: Connection())
        core.finishOpen(permit)
        if case .claimed(let waiter) = core.claimWait(ticket) {
            wake(waiter, permit)
        } else {
            _ = core.release(permit)
        }
        return true
    }

    private func close(_ lease: Core.Lease) {
        let connection = connection(of: lease)
        usesOfClosed.add(connection.pointee.uses, ordering: .relaxed)
        connection.deinitialize(count: 1)
        openConnections.subtract(1, ordering: .relaxed)
        core.finishClose(lease)
    }

    private func cancel(_ ticket: Core.Ticket) {
        if case .claimed(let waiter) = core.claimWait(ticket) { wake(waiter, nil) }
    }

    private func wake(_ context: UnsafeRawPointer, _ lease: Core.Lease?) {
        Unmanaged<Sleeper>.fromOpaque(context).takeRetainedValue().wake(lease)
    }

    private func connection(of lease: Core.Lease) -> UnsafeMutablePointer<Connection> {
        core.element(of: lease).assumingMemoryBound(to: Connection.self)
    }
}

private func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError("this must hold, and does not: \(what())") }
}
