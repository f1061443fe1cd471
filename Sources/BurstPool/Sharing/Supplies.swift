// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The tasks of the pool that wait for a connection in the queue of the engine of the connections.
final class Supplies: Sendable {
    /// The most tasks at the same time.
    private static let most = 16

    private let running = Atomic(0)
    nonisolated(unsafe) private let cancellers: UnsafeMutablePointer<ExchangeBox<Canceller>>

    init() {
        cancellers = .allocate(capacity: Self.most)
        for index in 0..<Self.most { (cancellers + index).initialize(to: ExchangeBox()) }
    }

    deinit {
        cancellers.deinitialize(count: Self.most)
        cancellers.deallocate()
    }

    /// The number of tasks. Sequentially consistent: a caller joins the queue and then reads it, and a task ends and then looks
    /// for callers.
    var count: Int { running.load(ordering: .sequentiallyConsistent) }

    /// Notes that a task begins. Returns `nil` if as many run as are needed, or as may.
    func begin(isNeeded: (_ running: Int) -> Bool) -> Canceller? {
        var found = count
        while found < Self.most, isNeeded(found) {
            let (exchanged, original) = running.compareExchange(
                expected: found,
                desired: found + 1,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return register() }
            found = original
        }
        return nil
    }

    private func register() -> Canceller {
        let canceller = Canceller()
        for index in 0..<Self.most where cancellers[index].putIfEmpty(canceller) { break }
        return canceller
    }

    /// Notes that a task has ended. The caller then reconciles.
    func end(_ canceller: Canceller) {
        for index in 0..<Self.most { cancellers[index].remove(canceller) }
        running.subtract(1, ordering: .sequentiallyConsistent)
    }

    func cancelAll() {
        for index in 0..<Self.most { cancellers[index].take()?.cancel() }
    }
}

extension SharedPoolEngine {
    /// Starts tasks that wait for a connection, unless as many are waiting already as the callers need.
    ///
    /// How many callers a connection serves is not known before the first one has opened, so that one is opened for all.
    func supplyConnections(inheritingTask: Bool) {
        while !core.isShutDown,
            let canceller = supplies.begin(isNeeded: { running in
                if lacksConnection(running: running) { return true }
                let (served, isMore) = running.multipliedReportingOverflow(by: expectedLimit.load(ordering: .relaxed))
                return !isMore && core.waiting > served
            })
        {
            let work: @Sendable () async -> Void = { [self] in
                var isFilling = false
                do {
                    checkOut(try await connections.acquire(timeout: .unlimited))
                    isFilling = lacksConnection(running: supplies.count - 1)
                } catch {
                    // A task that was cancelled was not needed any more. Any other error is for a caller.
                    let isForCaller = !(Task.isCancelled && error is CancellationError)
                    // With the other policy, an open connection may have room for the caller.
                    if isForCaller, !raiseLeaseCap(), let waiter = core.handOff() { fail(waiter, error) }
                }
                supplies.end(canceller)
                if isFilling { supplyConnections(inheritingTask: false) }
                reconcile()
            }
            canceller.watch(inheritingTask ? Task { await work() } : Task.detached { await work() })
        }
    }

    /// Ends the tasks that wait for a connection if no caller needs one, because a connection is about to be returned or closed.
    /// An attempt to open one that is under way continues.
    func dropUnneededSupplies() {
        if supplies.count > 0, core.waiting == 0 { supplies.cancelAll() }
    }
}
