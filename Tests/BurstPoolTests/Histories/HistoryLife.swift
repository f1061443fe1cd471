// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolSwiftCores
import Synchronization

/// The life of a pool whose core is recorded: bursts of callers that lease, wait, leave, time out and resize at random.
/// The pool rests after each burst, and is shut down during the last one.
final class HistoryLife: Sendable {
    private static let callers = 14
    private static let actsOfEach = 30
    /// A caller that waits this long was forgotten.
    private static let patience = Duration.seconds(60)
    /// The time to wait for the pool to come to rest.
    private let restPatience: Duration

    private let pool: any PoolUnderTest<HistoryConnection>
    private let strategy: HistoryStrategy
    private let executor: ThreadsExecutor
    private let seed: UInt64
    private let history: Shared<History>
    private let complaints = Shared<[String]>([])

    init(_ kind: CoreKind, executor: ThreadsExecutor, seed: UInt64, fault: CoreFault? = nil) throws {
        var random = Random(seed: seed)
        let maxSize = random.number(1...3)
        let burstLimit = maxSize + random.number(0...2)
        var configuration = ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
        configuration.acquireTimeout = Self.patience
        if random.chance(1, in: 3) { configuration.maxConcurrentConnects = 1 }
        strategy = HistoryStrategy(seed: ~seed, fault: fault)
        pool = try kind.makeRecordedPool(strategy: strategy, configuration: configuration)
        history = Shared(History(maxSize: maxSize, hardLimit: burstLimit))
        self.executor = executor
        self.seed = seed
        // A faulty core may never come to rest.
        restPatience = fault == nil ? .seconds(30) : .milliseconds(200)
    }

    /// - Returns: What happened, and errors that callers should not have got.
    func live() async -> (history: History, complaints: [String]) {
        for number in 1...3 {
            await burst(number, shutsDown: false)
            await rest(leased: 0, waiting: 0)
            await wait(inBurst: number)
            await rest(leased: 0, waiting: 0)
        }
        await burst(4, shutsDown: true)
        await pool.shutdown()
        await rest(leased: 0, waiting: 0, isShutDown: true)
        return (recorded(), complaints.value)
    }

    private func recorded() -> History {
        var recorded = history.value
        strategy.recorder.collect(into: &recorded)
        recorded.connections = strategy.connections
        return recorded
    }

    // MARK: Bursts

    private func burst(_ number: Int, shutsDown: Bool) async {
        await withTaskGroup(of: Void.self) { group in
            for caller in 0..<Self.callers {
                group.addTask(executorPreference: executor) { [self] in
                    var random = Random(seed: seed &+ UInt64(number << 32 + caller))
                    for _ in 0..<Self.actsOfEach { await act(&random, mayBeShutDown: shutsDown) }
                }
            }
            guard shutsDown else { return }
            group.addTask(executorPreference: executor) { [self] in
                var random = Random(seed: seed)
                for _ in 0..<random.number(0...200) { await Task.yield() }
                await pool.shutdown()
            }
        }
    }

    private func act(_ random: inout Random, mayBeShutDown: Bool) async {
        let timeouts: [Duration] = [Self.patience, Self.patience, .zero, .microseconds(random.number(1...500))]
        let timeout = timeouts[random.number(0...3)]
        let yields = random.number(0...4)
        do {
            switch random.number(0...11) {
            case 0...4: await useConnection(try await pool.acquire(timeout: .after(timeout)), yields)
            case 5: if let lease = pool.tryAcquire() { await useConnection(lease, yields) }
            case 6...7:
                try await pool.withConnection(timeout: .after(timeout)) { [strategy] connection in
                    await Self.use(connection, yields, strategy)
                }
            case 8...10: try await actAndGiveUp(timeout, yields, after: random.number(0...6))
            default:
                let maxSize = random.number(1...3)
                try pool.resize(maxSize: maxSize, burstLimit: maxSize + random.number(0...2))
            }
        } catch {
            judge(error, timeout: timeout, mayBeShutDown: mayBeShutDown)
        }
    }

    private func actAndGiveUp(_ timeout: Duration, _ yields: Int, after pause: Int) async throws {
        let task = Task(executorPreference: executor) { [self] in
            await useConnection(try await pool.acquire(timeout: .after(timeout)), yields)
        }
        for _ in 0..<pause { await Task.yield() }
        task.cancel()
        do { try await task.value } catch is CancellationError {}
    }

    private func judge(_ error: any Error, timeout: Duration, mayBeShutDown: Bool) {
        switch error {
        case is HistoryStrategy.Refused: break
        case let error as ConnectionPoolError where error.code == .acquireTimedOut && timeout < Self.patience: break
        case let error as ConnectionPoolError where error.code == .poolShutDown && mayBeShutDown: break
        default: complaints.change { $0.append("\(error)") }
        }
    }

    private func useConnection(_ lease: TestLease<HistoryConnection>, _ yields: Int) async {
        await Self.use(lease.connection, yields, strategy)
        lease.release()
    }

    private static func use(_ connection: HistoryConnection, _ yields: Int, _ strategy: HistoryStrategy) async {
        let from = historyNow()
        let found = connection.uses
        connection.uses += 1
        for _ in 0..<yields { await Task.yield() }
        connection.uses += 1
        let left = connection.uses
        let until = historyNow()
        let use = ConnectionUse(connection: connection.number, from: from, until: until, found: found, left: left)
        strategy.recorder.log.append(use)
    }

    // MARK: Rests

    /// Lets some callers wait in the queue while all connections are in use and nothing happens.
    private func wait(inBurst burst: Int) async {
        var random = Random(seed: seed &- UInt64(burst))
        let limit = random.number(1...3)
        do {
            try pool.resize(maxSize: limit, burstLimit: limit)
            var leases: [TestLease<HistoryConnection>] = []
            while leases.count < limit {
                do { leases.append(try await pool.acquire()) } catch is HistoryStrategy.Refused {}
            }
            let waiters = (1...4).map { _ in Task { await useConnection(try await pool.acquire(), 1) } }
            await rest(leased: limit, waiting: 4)
            waiters[random.number(0...3)].cancel()
            await rest(leased: limit, waiting: 3)
            for lease in leases { await useConnection(lease, 0) }
            for waiter in waiters {
                do { try await waiter.value } catch is CancellationError {}
            }
        } catch {
            judge(error, timeout: Self.patience, mayBeShutDown: false)
        }
    }

    /// Waits until nothing happens any more, and observes the pool.
    private func rest(leased: Int, waiting: Int, isShutDown: Bool = false) async {
        func isReached() -> Bool {
            let now = pool.statistics
            return now.inUse == leased && now.waiting == waiting && now.opening == 0 && now.closing == 0
                && (now.idle == 0 || now.total <= now.maxSize && waiting == 0)
        }
        let deadline = ContinuousClock.now + restPatience
        while !isReached(), ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(1)) }
        // A thread may still be looking for work, which takes a moment. The checker decides with the rest of the
        // history what at least one observation must show.
        for _ in 0..<4 {
            let begin = historyNow()
            let now = pool.statistics
            let end = historyNow()
            let rest = Rest(
                begin: begin,
                end: end,
                idle: now.idle,
                leased: now.inUse,
                opening: now.opening,
                closing: now.closing,
                waiting: now.waiting,
                maxSize: now.maxSize,
                hardLimit: now.burstLimit ?? now.maxSize,
                isShutDown: isShutDown
            )
            history.change { $0.rests.append(rest) }
            try? await Task.sleep(for: .milliseconds(1))
        }
    }
}

extension CoreKind {
    fileprivate func makeRecordedPool(
        strategy: HistoryStrategy,
        configuration: ConnectionPoolConfiguration
    ) throws -> any PoolUnderTest<HistoryConnection> {
        switch self {
        case .concurrencyKit, .publicPool:
            try EnginePool<HistoryStrategy, RecordingCore<_ConcurrencyKitCore>>(strategy, configuration)
        case .lockFreeSwift:
            try EnginePool<HistoryStrategy, RecordingCore<LockFreeSwiftCore>>(strategy, configuration)
        case .mutex:
            try EnginePool<HistoryStrategy, RecordingCore<MutexCore>>(strategy, configuration)
        }
    }
}
