// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// The wait queue: first in, first out, and a waiter can leave from anywhere.
///
/// The queue is a linked list of type-stable nodes. A node is appended as in Michael and Scott's queue. It is removed
/// as in Harris's list, in the form that Michael gave it for nodes that are reused: first the waiter's state says that
/// the node is dead, then the deleted bit is set in its link, and then a compare-and-exchange on the link of the node
/// before it takes the node out. The last node is never taken out, even when it is dead, so that the tail is always in
/// the list.
///
/// Every search for the oldest waiter takes out the dead nodes at the front; all nodes that were handed off are there.
/// Nodes whose waiters have left may be anywhere. They are counted, and when they outnumber the live waiters by a
/// constant share, a purge takes them out. So leaving costs O(1) amortised, and the memory of the queue stays
/// proportional to the number of live waiters.
///
/// All operations are sequentially consistent unless a comment says why less is enough. Each of them is ordered with an
/// operation on another word (does a caller wait? is a connection idle?), which acquire and release alone do not
/// guarantee. On x86-64 only the read-modify-writes cost anything, and they cost the same under any ordering.
///
/// - M. M. Michael, M. L. Scott, Simple, fast, and practical non-blocking and blocking concurrent queue algorithms, 1996.
/// - T. L. Harris, A pragmatic implementation of non-blocking linked lists, 2001.
/// - M. M. Michael, High performance dynamic lock-free hash tables and list-based sets, 2002.
struct WaiterQueue: ~Copyable {
    /// The maximum number of waiters.
    static var capacity: Int { 1 << LockFreeSwiftTicket.indexBits - 2 }

    /// Node 0 is the head: always in the list, never a waiter.
    private static var head: Int { 0 }

    // Each on its own cache line: joining writes the first, and leaving writes the other.
    /// A ``WaiterLink``.
    private let tail = Atomic<UInt64>(0)
    private let paddingBehindTail = CacheLinePadding()
    /// The number of nodes in the list whose waiters have left.
    private let dead = Atomic<Int>(0)
    /// Whether a purge is running. This is advice, not a lock: see ``purge(alive:)``.
    private let isPurging = Atomic<Bool>(false)
    private let paddingBehindDead = CacheLinePadding()

    let deadlines: WaiterDeadlines
    private let nodes: TypeStableTable
    private let free: TreiberStack
    private let freeMemory: UnsafeMutableRawPointer

    init() throws(_PoolCoreFailure) {
        let deadlines = try WaiterDeadlines()
        let nodes = try TypeStableTable(stride: Waiter.stride, alignment: Waiter.stride)
        // All zero: the head's link leads nowhere, and the tail is the head.
        _ = try nodes.extend(limit: 1)
        freeMemory = try ZeroedMemory.allocate(byteCount: TreiberStack.byteCount, alignment: 128)
        self.deadlines = deadlines
        self.nodes = nodes
        free = TreiberStack(at: freeMemory)
    }

    deinit {
        ZeroedMemory.deallocate(freeMemory)
    }

    var memory: Int { nodes.memory + deadlines.memory }

    private func node(_ index: Int) -> UnsafeMutablePointer<Waiter> {
        nodes.entry(at: index).unsafelyUnwrapped.assumingMemoryBound(to: Waiter.self)
    }

    /// Returns the node of a ticket.
    private func node(_ ticket: LockFreeSwiftTicket) -> UnsafeMutablePointer<Waiter> {
        node(ticket.index)
    }

    // MARK: The list

    private func append(_ node: UnsafeMutablePointer<Waiter>) {
        // The node is not in the list, so only this thread writes its link. The tag continues from its last value.
        let before = WaiterLink(bits: node.pointee.link.load(ordering: .relaxed))
        node.pointee.link.store(before.leading(to: 0).bits, ordering: .relaxed)
        let index = node.pointee.index
        while true {
            let tail = self.tail.loadLink()
            let last = self.node(tail.index)
            let link = last.pointee.link.loadLink()
            // If the tail has not changed since its link was read, the node was in the list at that moment.
            guard self.tail.loadLink() == tail else { continue }
            if link.index != 0 {
                _ = self.tail.exchangeLink(tail, for: tail.leading(to: link.index))
            } else if last.pointee.link.exchangeLink(link, for: link.leading(to: index)) {
                // Makes the node and earlier writes to it visible. Pairs with the loads of links in the walk.
                _ = self.tail.exchangeLink(tail, for: tail.leading(to: index))
                return
            }
        }
    }

    /// A node, and its state when it was in the list.
    private struct Found {
        let node: UnsafeMutablePointer<Waiter>
        let state: WaiterState
    }

    /// Walks from the head to the first waiter with one of these statuses, and takes out the dead nodes on the way.
    ///
    /// - Parameter restarts: The walk starts again when other threads change the list at the same place. After this
    ///   many restarts it finds none. `nil` means no limit.
    private func walk(_ statuses: WaiterStatuses, restarts: Int? = nil) -> Found? {
        var restartsLeft = restarts
        while true {
            walkOnce: do {
                var before = node(Self.head)
                var toNode = before.pointee.link.loadLink()
                while true {
                    let index = toNode.index
                    guard index != 0 else { return nil }
                    let node = node(index)
                    let link = node.pointee.link.loadLink()
                    let state = WaiterState(bits: node.pointee.state.load(ordering: .sequentiallyConsistent))
                    // Unchanged: the node was in the list, behind a node without the deleted bit, when its link and
                    // state were read.
                    guard before.pointee.link.loadLink() == toNode else { break walkOnce }
                    if statuses.contains(state.status) { return Found(node: node, state: state) }
                    guard link.index != 0 else {
                        // The link was read first, so a node may have been appended before the state changed.
                        guard node.pointee.link.loadLink() == link else { continue }
                        // The last node. If it is dead it stays, so that others can append to it.
                        return nil
                    }
                    guard state.status == .handedOff || state.status == .left else {
                        before = node
                        toNode = link
                        continue
                    }
                    // If its successor was taken out, or another walk has set the deleted bit, look at the node again.
                    guard link.isDeleted || node.pointee.link.exchangeLink(link, for: link.deleted) else { continue }
                    guard keepTailOff(index, movingTo: link.index, before, toNode) else { break walkOnce }
                    let pastNode = toNode.leading(to: link.index)
                    guard before.pointee.link.exchangeLink(toNode, for: pastNode) else { break walkOnce }
                    // The thread that took the node out frees it. No other thread can have, because the tag before it
                    // has changed.
                    if state.status == .left { dead.wrappingSubtract(1, ordering: .relaxed) }
                    free.put(UnsafeMutableRawPointer(node))
                    toNode = pastNode
                }
            }
            if let left = restartsLeft {
                guard left > 0 else { return nil }
                restartsLeft = left - 1
            }
        }
    }

    /// Moves the tail past a dead node, because a tail at a node that is reused would lead out of the list.
    ///
    /// As the node has a successor, the tail has reached it. After the tail has passed it, the tail never comes back.
    ///
    /// - Returns: `false` if the list has changed before the node.
    private func keepTailOff(
        _ index: Int,
        movingTo next: Int,
        _ before: UnsafeMutablePointer<Waiter>,
        _ toNode: WaiterLink
    ) -> Bool {
        let tail = self.tail.loadLink()
        guard tail.index == index else { return true }
        // The tail must have been at this node, not at one that was taken out and appended again since.
        guard before.pointee.link.loadLink() == toNode else { return false }
        _ = self.tail.exchangeLink(tail, for: tail.leading(to: next))
        return true
    }

    // MARK: Joining

    /// Takes a node for a waiter that will join.
    func prepare() throws(_PoolCoreFailure) -> LockFreeSwiftTicket {
        let node: UnsafeMutablePointer<Waiter>
        if let free = free.take() {
            node = free.assumingMemoryBound(to: Waiter.self)
        } else {
            guard let index = try nodes.extend(limit: Self.capacity + 1) else { throw .tooManyWaiters }
            node = self.node(index)
            node.pointee.index = index
        }
        let index = node.pointee.index
        do throws(_PoolCoreFailure) {
            try deadlines.reserve(index)
        } catch {
            free.put(UnsafeMutableRawPointer(node))
            throw error
        }
        // No other thread writes the state of a node that is in no list.
        let state = WaiterState(bits: node.pointee.state.load(ordering: .relaxed)).reborn
        node.pointee.state.store(state.bits, ordering: .releasing)
        return LockFreeSwiftTicket(index: index, generation: state.generation)
    }

    /// Appends the waiter.
    ///
    /// - Returns: Whether its deadline is now the earliest of all, or `nil` if it left before it joined.
    func join(_ ticket: LockFreeSwiftTicket, context: UnsafeRawPointer, deadline: UInt64) -> Bool? {
        let node = node(ticket)
        node.pointee.context.store(UInt(bitPattern: context), ordering: .relaxed)
        node.pointee.deadline.store(deadline, ordering: .relaxed)
        // From here on the waiter can be removed. Pairs with the loads of the state that see it.
        let prepared = WaiterState(generation: ticket.generation, .prepared)
        guard node.pointee.state.exchangeState(prepared, for: prepared.with(.waiting)) else {
            let leftBefore = freeNode(ticket, from: .cancelled)
            assert(leftBefore, "the ticket was used before")
            return nil
        }
        append(node)
        // After the state. Pairs with expire(now:into:), which sets scan numbers or resets the deadlines before it
        // reads states.
        return deadline != .max && deadlines.lower(to: deadline, for: ticket.index)
    }

    /// Frees the node of a waiter that has not joined and will not join. Returns `false` if it left before.
    func withdraw(_ ticket: LockFreeSwiftTicket) -> Bool {
        if freeNode(ticket, from: .prepared) { return true }
        let leftBefore = freeNode(ticket, from: .cancelled)
        assert(leftBefore, "the ticket was used before")
        return false
    }

    /// Frees the node of a waiter that was never in the list. Returns `false` if its status is another one.
    private func freeNode(_ ticket: LockFreeSwiftTicket, from status: WaiterStatus) -> Bool {
        let node = node(ticket)
        let state = WaiterState(generation: ticket.generation, status)
        guard node.pointee.state.exchangeState(state, for: state.with(.free)) else { return false }
        free.put(UnsafeMutableRawPointer(node))
        return true
    }

    /// Returns whether a waiter has one of these statuses.
    func exists(_ statuses: WaiterStatuses) -> Bool {
        walk(statuses) != nil
    }

    /// Moves the oldest waiter that waits for a permit to opening.
    func beginOpening() -> LockFreeSwiftTicket? {
        while let found = walk(.waiting) {
            if found.node.pointee.state.exchangeState(found.state, for: found.state.with(.opening)) {
                return LockFreeSwiftTicket(index: found.node.pointee.index, generation: found.state.generation)
            }
        }
        return nil
    }

    /// Moves this waiter from opening back to waiting, at its position in the queue. Returns `false` if it has left.
    func requeue(_ ticket: LockFreeSwiftTicket) -> Bool {
        let opening = WaiterState(generation: ticket.generation, .opening)
        return node(ticket).pointee.state.exchangeState(opening, for: opening.with(.waiting))
    }

    // MARK: Leaving

    /// A waiter that was removed.
    struct Departure {
        /// `nil` if it had not joined.
        let context: UnsafeRawPointer?
        let before: WaiterStatus
    }

    /// Removes the oldest waiter.
    func handOff() -> Departure? {
        while let found = walk(.inQueue) {
            if let departure = depart(found.node, from: found.state, to: .handedOff) { return departure }
        }
        return nil
    }

    /// Removes this waiter, unless its wait has ended already.
    func leave(_ ticket: LockFreeSwiftTicket) -> Departure? {
        remove(node(ticket), generation: ticket.generation)
    }

    private func remove(_ node: UnsafeMutablePointer<Waiter>, generation: UInt64) -> Departure? {
        while true {
            let state = WaiterState(bits: node.pointee.state.load(ordering: .sequentiallyConsistent))
            guard state.generation == generation else { return nil }
            switch state.status {
            case .free, .handedOff, .left, .cancelled:
                return nil
            case .prepared:
                if node.pointee.state.exchangeState(state, for: state.with(.cancelled)) {
                    return Departure(context: nil, before: .prepared)
                }
            case .waiting, .opening:
                dead.wrappingAdd(1, ordering: .relaxed)
                if let departure = depart(node, from: state, to: .left) { return departure }
                dead.wrappingSubtract(1, ordering: .relaxed)
            }
        }
    }

    /// Ends the wait of a waiter that has joined, if it is still in this state.
    private func depart(
        _ node: UnsafeMutablePointer<Waiter>,
        from state: WaiterState,
        to fate: WaiterStatus
    ) -> Departure? {
        // Read before the compare-and-exchange, because the node may be reused after it. Valid if the exchange
        // succeeds.
        let context = UnsafeRawPointer(bitPattern: node.pointee.context.load(ordering: .relaxed))
        guard node.pointee.state.exchangeState(state, for: state.with(fate)) else { return nil }
        return Departure(context: context, before: state.status)
    }

    /// Removes waiters whose deadline is not after `now`.
    ///
    /// - Parameter departures: Where to store them, up to its count.
    ///
    /// - Returns: The number of removed waiters, and when to call again, or `nil` if this caller need not.
    func expire(now: UInt64, into departures: UnsafeMutableBufferPointer<Departure>) -> (count: Int, next: UInt64?) {
        // Before the deadlines are read: a deadline that is set meanwhile is either seen below, or lowers this value
        // again.
        deadlines.reset()
        var count = 0
        var next = UInt64.max
        for group in 0...WaiterDeadlines.group(of: nodes.used - 1) {
            if count == departures.count {
                next = now  // No room for more: another call must follow immediately.
                break
            }
            switch deadlines.ask(group: group, now: now) {
            case nil: continue
            case .notBefore(let earliest): next = min(next, earliest)
            case .look(let scan):
                let earliest = expire(group, now: now, into: departures, &count)
                deadlines.looked(atGroup: group, scan: scan, earliest: earliest)
                next = min(next, earliest)
            }
        }
        return (count, deadlines.lowerEarliestOfAll(to: next) ? next : nil)
    }

    /// - Returns: The earliest deadline of the members of the group that stay.
    private func expire(
        _ group: Int,
        now: UInt64,
        into departures: UnsafeMutableBufferPointer<Departure>,
        _ count: inout Int
    ) -> UInt64 {
        var earliest = UInt64.max
        // The number of nodes is read again, because a node created meanwhile may have left its deadline to this scan.
        for index in WaiterDeadlines.members(of: group).clamped(to: Self.head + 1..<nodes.used) {
            let node = node(index)
            let state = WaiterState(bits: node.pointee.state.load(ordering: .sequentiallyConsistent))
            guard WaiterStatuses.inQueue.contains(state.status) else { continue }
            // Of the life whose state was read, or of a later one. In the latter case remove finds another generation.
            let deadline = node.pointee.deadline.load(ordering: .relaxed)
            if deadline <= now, count < departures.count {
                guard let departure = remove(node, generation: state.generation) else { continue }
                departures.initializeElement(at: count, to: departure)
                count += 1
            } else {
                earliest = min(earliest, deadline)
            }
        }
        return earliest
    }

    // MARK: Housekeeping

    /// Takes dead nodes out of the list if there are many. To be called after a waiter has left.
    ///
    /// - Parameter alive: The number of callers that wait.
    func purge(alive: Int) {
        let dead = dead.load(ordering: .relaxed)
        guard dead > alive / 2 + 64 else { return }
        // One purge at a time, because two would disturb each other. This is advice, not a lock: no thread waits for
        // the purging one, and when there are too many dead nodes (the purging thread may be stopped), other threads
        // purge as well.
        if isPurging.exchange(true, ordering: .relaxed), dead <= 2 * alive + 1024 { return }
        _ = walk([], restarts: 3)
        isPurging.store(false, ordering: .relaxed)
    }
}

extension Atomic<UInt64> {
    fileprivate func loadLink() -> WaiterLink {
        WaiterLink(bits: load(ordering: .sequentiallyConsistent))
    }

    fileprivate func exchangeLink(_ expected: WaiterLink, for desired: WaiterLink) -> Bool {
        compareExchange(expected: expected.bits, desired: desired.bits, ordering: .sequentiallyConsistent).exchanged
    }

    fileprivate func exchangeState(_ expected: WaiterState, for desired: WaiterState) -> Bool {
        compareExchange(expected: expected.bits, desired: desired.bits, ordering: .sequentiallyConsistent).exchanged
    }
}
