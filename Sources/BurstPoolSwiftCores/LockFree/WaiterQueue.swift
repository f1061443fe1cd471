import BurstPool
import Synchronization

/// The waiter queue: first in, first out, with removal anywhere.
///
/// A linked list of type-stable nodes. Appending is Michael and Scott's queue; removing is Harris's list as Michael made it
/// fit for reused nodes: a node is dead once its state says so, its link is then marked, and a compare-and-exchange on its
/// predecessor's link takes it out. The last node is never taken out, even when dead, so that appending always finds the
/// tail in the list.
///
/// Dead nodes at the front are taken out by whoever next looks for the oldest waiter, and those that were served are all
/// there: only those that have gone, which may be anywhere, are counted. They are taken out by a sweep once they outnumber
/// the living by a constant share, so leaving is O(1) amortised and the memory of the queue stays proportional to the
/// waiters alive.
///
/// All orderings here are sequentially consistent unless a comment says why less will do: each of these operations is
/// read against another one on another word (is anybody waiting? is anything idle?), which acquiring and releasing alone
/// do not order. On x86-64 only the read-modify-writes cost anything, and those cost the same under any ordering.
///
/// - M. M. Michael, M. L. Scott, Simple, fast, and practical non-blocking and blocking concurrent queue algorithms, 1996.
/// - T. L. Harris, A pragmatic implementation of non-blocking linked lists, 2001.
/// - M. M. Michael, High performance dynamic lock-free hash tables and list-based sets, 2002.
struct WaiterQueue: ~Copyable {
    /// How many can wait at the same time.
    static var capacity: Int { 1 << LockFreeSwiftTicket.indexBits - 2 }

    /// Node 0 is the head: always in the list, never a waiter.
    private static var head: Int { 0 }

    // Each on a line of its own: joining writes the one, leaving the other.
    /// A ``WaiterLink``.
    private let tail = Atomic<UInt64>(0)
    private let paddingBehindTail = CacheLinePadding()
    /// Nodes in the list whose waiter is gone.
    private let dead = Atomic<Int>(0)
    /// Advice: somebody is at it.
    private let isSweeping = Atomic<Bool>(false)
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

    /// The node of a ticket.
    private func node(_ ticket: LockFreeSwiftTicket) -> UnsafeMutablePointer<Waiter> {
        node(ticket.index)
    }

    // MARK: The list

    private func append(_ node: UnsafeMutablePointer<Waiter>) {
        // The node is not in the list, so its link is the caller's to write; the tag goes on from where it was.
        let before = WaiterLink(bits: node.pointee.link.load(ordering: .relaxed))
        node.pointee.link.store(before.leading(to: 0).bits, ordering: .relaxed)
        let index = node.pointee.index
        while true {
            let tail = self.tail.loadLink()
            let last = self.node(tail.index)
            let link = last.pointee.link.loadLink()
            // The tail still being the same after its link was read tells that the node was in the list just then.
            guard self.tail.loadLink() == tail else { continue }
            if link.index != 0 {
                _ = self.tail.exchangeLink(tail, for: tail.leading(to: link.index))
            } else if last.pointee.link.exchangeLink(link, for: link.leading(to: index)) {
                // Makes the node and all that was written to it visible; pairs with the loads of links in the walk.
                _ = self.tail.exchangeLink(tail, for: tail.leading(to: index))
                return
            }
        }
    }

    /// A node, and its state when it was seen in the list.
    private struct Found {
        let node: UnsafeMutablePointer<Waiter>
        let state: WaiterState
    }

    /// Walks from the head to the first waiter with one of these statuses, and takes out the dead nodes it meets.
    ///
    /// - Parameter restarts: When others change the list under it the walk starts again; after that many restarts it
    ///   gives up and finds none. `nil`: never.
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
                    // Unchanged: the node was in the list, behind an unmarked one, when its link and state were read.
                    guard before.pointee.link.loadLink() == toNode else { break walkOnce }
                    if statuses.contains(state.status) { return Found(node: node, state: state) }
                    guard link.index != 0 else {
                        // The link was read first: somebody may have joined behind it before it came to this state.
                        guard node.pointee.link.loadLink() == link else { continue }
                        // The last, and if dead it stays, for others to append to.
                        return nil
                    }
                    guard state.status == .served || state.status == .gone else {
                        before = node
                        toNode = link
                        continue
                    }
                    // When its successor went, or another walk marked it: look at the node again.
                    guard link.isMarked || node.pointee.link.exchangeLink(link, for: link.marked) else { continue }
                    guard keepTailOff(index, movingTo: link.index, before, toNode) else { break walkOnce }
                    let pastNode = toNode.leading(to: link.index)
                    guard before.pointee.link.exchangeLink(toNode, for: pastNode) else { break walkOnce }
                    // Whoever took the node out gives it back; nobody else can have, for the tag before it has changed.
                    if state.status == .gone { dead.wrappingSubtract(1, ordering: .relaxed) }
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

    /// Sees to it that the tail has passed a dead node, for a tail in a node that is reused would lead out of the list.
    ///
    /// As the node has a successor, the tail has reached it; passed, it never comes back.
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
        // The tail must have been in this node, not in one that was taken out and appended anew since.
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
        // Nobody else writes the state of a node that is in no list.
        let state = WaiterState(bits: node.pointee.state.load(ordering: .relaxed)).reborn
        node.pointee.state.store(state.bits, ordering: .releasing)
        return LockFreeSwiftTicket(index: index, generation: state.generation)
    }

    /// Appends the waiter.
    ///
    /// - Returns: Whether its deadline is now the earliest of all; `nil` if it left before it joined.
    func join(_ ticket: LockFreeSwiftTicket, context: UnsafeRawPointer, deadline: UInt64) -> Bool? {
        let node = node(ticket)
        node.pointee.context.store(UInt(bitPattern: context), ordering: .relaxed)
        node.pointee.deadline.store(deadline, ordering: .relaxed)
        // From here on the waiter can be made to go: pairs with the loads of the state that see it.
        let prepared = WaiterState(generation: ticket.generation, .prepared)
        guard node.pointee.state.exchangeState(prepared, for: prepared.with(.waiting)) else {
            let leftBefore = freeNode(ticket, from: .cancelled)
            assert(leftBefore, "the ticket was used before")
            return nil
        }
        append(node)
        // After the state: pairs with expire(now:into:), which flags or resets the deadlines before it reads states.
        return deadline != .max && deadlines.lower(to: deadline, for: ticket.index)
    }

    /// Gives the node back of a waiter that has not joined, and will not. `false` if it left before.
    func withdraw(_ ticket: LockFreeSwiftTicket) -> Bool {
        if freeNode(ticket, from: .prepared) { return true }
        let leftBefore = freeNode(ticket, from: .cancelled)
        assert(leftBefore, "the ticket was used before")
        return false
    }

    /// Gives the node back of a waiter that never was in the list. `false` if its status is another one.
    private func freeNode(_ ticket: LockFreeSwiftTicket, from status: WaiterStatus) -> Bool {
        let node = node(ticket)
        let state = WaiterState(generation: ticket.generation, status)
        guard node.pointee.state.exchangeState(state, for: state.with(.free)) else { return false }
        free.put(UnsafeMutableRawPointer(node))
        return true
    }

    /// Whether somebody waits whose status is one of these.
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

    /// Moves this waiter from opening back to waiting, where it stands. `false` if it has gone.
    func requeue(_ ticket: LockFreeSwiftTicket) -> Bool {
        let opening = WaiterState(generation: ticket.generation, .opening)
        return node(ticket).pointee.state.exchangeState(opening, for: opening.with(.waiting))
    }

    // MARK: Leaving

    /// A waiter that went.
    struct Departure {
        /// `nil` if it had not joined.
        let context: UnsafeRawPointer?
        let before: WaiterStatus
    }

    /// Makes the oldest waiter go.
    func serveOldest() -> Departure? {
        while let found = walk(.inQueue) {
            if let departure = depart(found.node, from: found.state, to: .served) { return departure }
        }
        return nil
    }

    /// Makes this waiter go, if it has not gone already.
    func leave(_ ticket: LockFreeSwiftTicket) -> Departure? {
        makeGo(node(ticket), generation: ticket.generation)
    }

    private func makeGo(_ node: UnsafeMutablePointer<Waiter>, generation: UInt64) -> Departure? {
        while true {
            let state = WaiterState(bits: node.pointee.state.load(ordering: .sequentiallyConsistent))
            guard state.generation == generation else { return nil }
            switch state.status {
            case .free, .served, .gone, .cancelled:
                return nil
            case .prepared:
                if node.pointee.state.exchangeState(state, for: state.with(.cancelled)) {
                    return Departure(context: nil, before: .prepared)
                }
            case .waiting, .opening:
                dead.wrappingAdd(1, ordering: .relaxed)
                if let departure = depart(node, from: state, to: .gone) { return departure }
                dead.wrappingSubtract(1, ordering: .relaxed)
            }
        }
    }

    /// Decides the fate of a waiter that has joined, if it is still in this state.
    private func depart(
        _ node: UnsafeMutablePointer<Waiter>,
        from state: WaiterState,
        to fate: WaiterStatus
    ) -> Departure? {
        // Read before the fate is decided, for the node may be reused after it; good if the decision is ours.
        let context = UnsafeRawPointer(bitPattern: node.pointee.context.load(ordering: .relaxed))
        guard node.pointee.state.exchangeState(state, for: state.with(fate)) else { return nil }
        return Departure(context: context, before: state.status)
    }

    /// Makes waiters go whose deadline is not after now.
    ///
    /// - Parameter departures: Where to store them: up to its count.
    /// - Returns: How many went; and when to call again, if it is for the caller to see to that.
    func expire(now: UInt64, into departures: UnsafeMutableBufferPointer<Departure>) -> (count: Int, next: UInt64?) {
        // Before the deadlines are read: one that is set meanwhile is either seen below, or lowers this again.
        deadlines.reset()
        var count = 0
        var next = UInt64.max
        for group in 0...WaiterDeadlines.group(of: nodes.used - 1) {
            if count == departures.count {
                next = now  // No room for more: the rest is for another call, at once.
                break
            }
            switch deadlines.ask(group: group, now: now) {
            case nil: continue
            case .notBefore(let earliest): next = min(next, earliest)
            case .look(let mark):
                let earliest = expire(group, now: now, into: departures, &count)
                deadlines.looked(atGroup: group, mark: mark, earliest: earliest)
                next = min(next, earliest)
            }
        }
        return (count, deadlines.lowerEarliestOfAll(to: next) ? next : nil)
    }

    /// - Returns: The earliest deadline of those members of the group that stay.
    private func expire(
        _ group: Int,
        now: UInt64,
        into departures: UnsafeMutableBufferPointer<Departure>,
        _ count: inout Int
    ) -> UInt64 {
        var earliest = UInt64.max
        // How many nodes there are is read again: one made meanwhile may have left its deadline to the mark.
        for index in WaiterDeadlines.members(of: group).clamped(to: Self.head + 1..<nodes.used) {
            let node = node(index)
            let state = WaiterState(bits: node.pointee.state.load(ordering: .sequentiallyConsistent))
            guard WaiterStatuses.inQueue.contains(state.status) else { continue }
            // Of the life whose state was read, or of a later one, and then makeGo finds another generation.
            let deadline = node.pointee.deadline.load(ordering: .relaxed)
            if deadline <= now, count < departures.count {
                guard let departure = makeGo(node, generation: state.generation) else { continue }
                departures.initializeElement(at: count, to: departure)
                count += 1
            } else {
                earliest = min(earliest, deadline)
            }
        }
        return earliest
    }

    // MARK: Housekeeping

    /// To be called by whoever made a waiter go that need not have been the oldest.
    ///
    /// - Parameter alive: How many still wait.
    func tidy(alive: Int) {
        let dead = dead.load(ordering: .relaxed)
        guard dead > alive / 2 + 64 else { return }
        // One sweep at a time, for two would stand in each other's way. That is advice, not a lock: nobody waits for the
        // sweeper, and when the dead pile up regardless (the sweeper may be stopped), others sweep as well.
        if isSweeping.exchange(true, ordering: .relaxed), dead <= 2 * alive + 1024 { return }
        _ = walk([], restarts: 3)
        isSweeping.store(false, ordering: .relaxed)
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
