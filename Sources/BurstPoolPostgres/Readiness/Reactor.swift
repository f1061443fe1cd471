// SPDX-License-Identifier: Apache-2.0

import CLibPQ
import Dispatch
import Synchronization

/// A thread that waits for the sockets of many connections and wakes the tasks that wait for them.
///
/// The reactor only reports that a socket is ready. Everything else, libpq's calls included, happens in the task that
/// uses the connection, so a response costs one change of threads and a connection needs no lock of its own.
final class Reactor: Sendable {
    /// One reactor for each eight processors: a reactor does so little for each response that it serves many cores.
    private static let count = max(1, min(4, Int(clibpq_processor_count()) / 8))
    private static let all = Mutex<(reactors: [Reactor], turn: Int)>(([], 0))

    /// Returns the reactor for the next connection. Starts its thread first if necessary.
    static func next() throws(PostgresError) -> Reactor {
        try all.withLock { all throws(PostgresError) in
            all.turn = (all.turn + 1) % count
            while all.reactors.count <= all.turn { all.reactors.append(try Reactor(number: all.reactors.count)) }
            return all.reactors[all.turn]
        }
    }

    private struct Registry {
        var watches: [UInt64: SocketWatch] = [:]
        var lastToken: UInt64 = 0
    }

    private let poller: clibpq_poller
    private let registry = Mutex(Registry())
    /// Whether the thread looks at the deadlines every ``tick``.
    private let watchesDeadlines = Atomic<Bool>(false)

    /// Deadlines are enforced up to this much late.
    static let tick = Duration.milliseconds(50)
    private static let tickMilliseconds: Int32 = 50
    /// After so many ticks without a deadline, the thread stops looking until there is one again.
    private static let idleTicks = 40

    private init(number: Int) throws(PostgresError) {
        var poller = clibpq_poller()
        guard clibpq_poller_open(&poller) == 0 else {
            let reason = String(cString: clibpq_last_error())
            throw PostgresError(.connectFailed, "The system cannot watch sockets: \(reason).")
        }
        self.poller = poller
        // A serial queue has a thread of its own when it blocks, outside Swift's cooperative pool.
        DispatchQueue(label: "burst-pool.postgres.reactor.\(number)").async { [self] in run() }
    }

    // MARK: - Called from any thread

    /// Starts to watch a socket and returns its token.
    func add(_ watch: SocketWatch, socket: Int32) throws(PostgresError) -> UInt64 {
        let token = registry.withLock { registry in
            registry.lastToken += 1
            registry.watches[registry.lastToken] = watch
            return registry.lastToken
        }
        guard clibpq_poller_add(poller, socket, token) == 0 else {
            let reason = String(cString: clibpq_last_error())
            registry.withLock { _ = $0.watches.removeValue(forKey: token) }
            throw PostgresError(.connectFailed, "The connection's socket cannot be watched: \(reason).")
        }
        return token
    }

    func remove(token: UInt64, socket: Int32) {
        clibpq_poller_remove(poller, socket)
        registry.withLock { _ = $0.watches.removeValue(forKey: token) }
    }

    func setReportsWrites(_ reportsWrites: Bool, token: UInt64, socket: Int32) {
        _ = clibpq_poller_set_writes(poller, socket, token, reportsWrites ? 1 : 0)
    }

    /// Has the thread look at the deadlines of the watches from now on.
    func watchDeadlines() {
        if watchesDeadlines.load(ordering: .acquiring) { return }
        watchesDeadlines.store(true, ordering: .sequentiallyConsistent)
        clibpq_poller_wake_up(poller)
    }

    // MARK: - The thread

    private func run() -> Never {
        var ticksWithoutDeadline = 0
        let events = UnsafeMutablePointer<clibpq_event>.allocate(capacity: Int(CLIBPQ_POLLER_BATCH))
        var ready: [(watch: SocketWatch, isClosed: Bool)] = []
        var nextTick = ContinuousClock.now
        while true {
            let isTicking = watchesDeadlines.load(ordering: .sequentiallyConsistent)
            let count = Int(clibpq_poller_wait(poller, events, isTicking ? Self.tickMilliseconds : -1))
            registry.withLock { registry in
                for event in UnsafeBufferPointer(start: events, count: count) {
                    guard let watch = registry.watches[event.token] else { continue }
                    ready.append((watch, event.is_closed != 0))
                }
            }
            for (watch, isClosed) in ready { watch.signal(isClosed: isClosed) }
            ready.removeAll(keepingCapacity: true)

            guard isTicking, ContinuousClock.now >= nextTick else { continue }
            nextTick = .now + Self.tick
            if checkDeadlines() {
                ticksWithoutDeadline = 0
            } else {
                ticksWithoutDeadline += 1
                guard ticksWithoutDeadline >= Self.idleTicks else { continue }
                ticksWithoutDeadline = 0
                watchesDeadlines.store(false, ordering: .sequentiallyConsistent)
                // A deadline that was set just before the store did not wake this thread.
                if checkDeadlines() { watchesDeadlines.store(true, ordering: .sequentiallyConsistent) }
            }
        }
    }

    /// Wakes the tasks whose deadline has passed. Returns whether there is any deadline at all.
    private func checkDeadlines() -> Bool {
        let now = ContinuousClock.now
        let watches = registry.withLock { Array($0.watches.values) }
        return watches.reduce(false) { $1.checkDeadline(now) || $0 }
    }
}
