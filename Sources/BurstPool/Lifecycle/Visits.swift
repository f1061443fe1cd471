// SPDX-License-Identifier: Apache-2.0

import CRunningTask
import Synchronization

/// Passes connections, one at a time, to the task that runs a body on every connection: the visiting task.
///
/// The visiting task asks for a connection by putting a request into a box. A thread that has a connection, because a sweep has
/// taken it or because its lease has ended, takes the request out of the box and answers it with the connection. So at most one
/// connection at a time is withheld from callers.
final class Visits<Lease: Sendable>: Sendable {
    /// One request for a connection.
    final class Request: Sendable {
        /// Fires with `.done` when there is a connection, and with `.failed` when the visiting task must check again whether
        /// connections are left to visit.
        let answer = OneShot()
        /// Written before ``answer`` fires with `.done`, and read after.
        nonisolated(unsafe) fileprivate(set) var lease: Lease?
    }

    private let active = Atomic(false)
    private let request = ExchangeBox<Request>()
    private let ended = Broadcast()

    /// Whether a body is being run on every connection.
    var isActive: Bool { active.load(ordering: .sequentiallyConsistent) }

    /// Waits until there is no other visiting task, and begins. Returns `false` if the current task was cancelled.
    func begin() async -> Bool {
        while true {
            let free = OneShot()
            ended.add(free)
            let (begins, _) = active.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent)
            if begins { return true }
            if await free.waitUnlessCancelled() == .cancelled { return false }
        }
    }

    /// Ends the visits, and lets the next visiting task begin.
    func end() {
        active.store(false, ordering: .sequentiallyConsistent)
        ended.fire()
    }

    /// Asks for a connection.
    func ask() -> Request {
        let new = Request()
        request.put(new)
        // Pairs with the fence in lookAgain(). The caller of this function reads the states of the connections next.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return new
    }

    /// Answers the request with a connection. Returns `false` if there is no request, or if the visiting task was cancelled.
    func answer(_ lease: Lease) -> Bool {
        guard let request = request.take() else { return false }
        request.lease = lease
        return request.answer.fire(.done)
    }

    /// Makes the visiting task check again, because a connection has changed its state.
    func lookAgain() {
        guard isActive else { return }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        request.take()?.answer.fire(.failed)
    }
}

extension _PoolEngine {
    /// Runs a body once on every connection that exists now: on idle ones at once, and on those in use when they are released.
    public func forEachConnection(
        _ body: (inout sending Strategy.Connection) async throws -> Void
    ) async -> ConnectionVisitResult {
        var result = ConnectionVisitResult()
        guard await visits.begin() else {
            result.isCancelled = true
            return result
        }
        defer { visits.end() }
        result.heldByCaller = flagForVisits()
        while true {
            let request = visits.ask()
            // Gives an idle connection to the request, if there is one.
            maintain()
            if !isAnyVisitDue { visits.lookAgain() }
            switch await request.answer.waitUnlessCancelled() {
            case .done:
                if let lease = request.lease { await visit(lease, &result, body) }
            case .failed, .timedOut:
                if !isAnyVisitDue { return result }
            case .cancelled:
                unflagVisits()
                result.isCancelled = true
                return result
            }
        }
    }

    /// Flags all connections that are to be visited, and returns the number of the others: those that the current task holds.
    /// The task would wait for itself if it waited for their release.
    private func flagForVisits() -> Int {
        let task = running_task_number()
        var held = 0
        for slot in liveSlots() {
            if task != 0, isHeld(slot, by: task) {
                held += 1
            } else {
                header(of: slot.lease).pointee.set(.awaitsVisit)
            }
        }
        // After this fence, a thread that releases a connection sees its flag, or else the connection is already idle when the
        // current task reads the states next.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return held
    }

    private func unflagVisits() {
        core.forEachSlot { _, slot in header(of: slot.lease).pointee.clear(.awaitsVisit) }
    }

    private var isAnyVisitDue: Bool {
        !core.isShutDown && liveSlots().contains { !header(of: $0.lease).pointee.flags(.awaitsVisit).isEmpty }
    }

    /// Runs the body on one connection, and releases the connection.
    private func visit(
        _ lease: Core.Lease,
        _ result: inout ConnectionVisitResult,
        _ body: (inout sending Strategy.Connection) async throws -> Void
    ) async {
        defer { endInternalUse() }
        header(of: lease).pointee.clear(.awaitsVisit)
        if settings.initialFlags.contains(.isTracked) { record(of: lease).pointee.noteInternalUse() }
        guard (try? isOpen(lease)) == true else { return }
        header(of: lease).pointee.holder.note()
        do {
            try await body(&connection(of: lease).pointee)
            result.visited += 1
        } catch {
            result.failures.append(error)
            discard(lease)
        }
        header(of: lease).pointee.holder.clear()
        if !disposeOfFlagged(lease, header(of: lease).pointee.flags(.all)), core.release(lease) { reconcile() }
        connectionHasOpened()
    }

    /// Gives a connection to the visiting task. Returns `false` if that task has no request now, or was cancelled.
    func deliver(_ lease: Core.Lease) -> Bool {
        minimumIdle.internalUse.begin()
        if visits.answer(lease) { return true }
        endInternalUse()
        return false
    }

    /// Ends the lease of a connection that is to be visited. Returns `true`, because nothing is left to do.
    func releaseBeforeVisit(_ lease: Core.Lease, _ flags: ConnectionFlags) -> Bool {
        let isLeaving = flags.contains(.isDetached) || flags.closeReason != nil || core.isShutDown
        if !isLeaving, deliver(lease) { return true }
        if !disposeOfFlagged(lease, flags), core.release(lease) { reconcile() }
        // The visiting task may have put its request into the box after deliver() found none.
        visits.lookAgain()
        return true
    }
}
