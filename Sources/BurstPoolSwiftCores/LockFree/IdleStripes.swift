// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif
import BurstPool
import Synchronization

/// The idle connections: last in, first out, in stripes.
///
/// One shared stack would move the cache line of its top from CPU to CPU. So there are more stripes than CPUs, and each
/// thread has a home stripe: a cell for one slot, with a stack behind it. To put a slot in, a thread exchanges it with
/// the content of the home cell, and pushes what was in the cell onto the stack. To take a slot, a thread exchanges the
/// content of the home cell with nothing. So a thread that acquires and releases touches only its home cell, and no
/// cache line that another thread writes. When the home stripe is empty, the thread searches the other stripes, stacks
/// before cells, so that a neighbour keeps the connection it works with.
///
/// One more stack holds the slots that a sweep has looked at. This lets the sweep reach the slots at the bottom of the
/// stacks while it holds one slot at a time. A thread that finds the stacks of all stripes empty takes from this stack.
///
/// All operations are lock-free. A thread that is stopped inside one of them withholds the one slot that it holds.
@usableFromInline
struct IdleStripes: ~Copyable {
    /// One more than there are stripes: its stack has the slots that a sweep has set aside, and its cell counts the
    /// cells that the sweep has looked at.
    @usableFromInline let stripes: UnsafeMutableRawPointer
    /// Number of stripes - 1; that number is a power of two.
    @usableFromInline let mask: UInt
    @usableFromInline let thread: ThreadNumber

    /// A cell and a stack, alone in two cache lines, because CPUs often fetch lines in pairs.
    @inlinable static var stride: Int { 128 }
    private static var stackOffset: Int { 16 }
    private static var maximum: Int { 1024 }

    init() throws(_PoolCoreFailure) {
        guard let thread = ThreadNumber.shared else { throw .outOfMemory }
        let wanted = min(2 * max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))), Self.maximum)
        var count = 1
        while count < wanted { count *= 2 }
        stripes = try ZeroedMemory.allocate(byteCount: (count + 1) * Self.stride, alignment: Self.stride)
        self.thread = thread
        mask = UInt(count - 1)
    }

    deinit {
        ZeroedMemory.deallocate(stripes)
    }

    var memory: Int { (Int(mask) + 2) * Self.stride }

    @inlinable @inline(__always)
    func cell(_ stripe: UInt) -> UnsafeMutablePointer<Atomic<UInt>> {
        (stripes + Int(bitPattern: stripe) &* Self.stride).assumingMemoryBound(to: Atomic<UInt>.self)
    }

    private func stack(_ stripe: UInt) -> TreiberStack {
        TreiberStack(at: stripes + Int(stripe) * Self.stride + Self.stackOffset)
    }

    @inlinable @inline(__always)
    var home: UInt { thread.current & mask }

    /// Puts a slot in.
    ///
    /// Releasing: the slot's word, and what its owner wrote to the connection, are visible to the thread that takes the
    /// slot. Sequentially consistent: what the caller reads next (whether a caller waits) is read after it.
    @inlinable @inline(__always)
    func put(_ slot: UnsafeMutablePointer<Slot>) {
        let home = home
        let before = cell(home).pointee.exchange(UInt(bitPattern: slot), ordering: .sequentiallyConsistent)
        if before != 0 { putBehind(before, home) }
    }

    @usableFromInline @inline(never)
    func putBehind(_ slot: UInt, _ home: UInt) {
        stack(home).put(UnsafeMutableRawPointer(bitPattern: slot).unsafelyUnwrapped)
    }

    /// Takes a slot, or returns `nil` when a search of all stripes found none. The search is not one instant: it misses
    /// a slot that another thread puts into a stripe which was searched before. That is why a thread that puts a slot
    /// in looks for waiters afterwards.
    @inlinable @inline(__always)
    func take() -> UnsafeMutablePointer<Slot>? {
        let home = home
        return takeFromCell(home) ?? takeElsewhere(home)
    }

    @inlinable @inline(__always)
    func takeFromCell(_ stripe: UInt) -> UnsafeMutablePointer<Slot>? {
        // Sequentially consistent, because a caller that has just joined the queue must read the cell after its join.
        guard cell(stripe).pointee.load(ordering: .sequentiallyConsistent) != 0 else { return nil }
        // Acquiring: pairs with the exchange in put(_:) that brought the slot here.
        let taken = cell(stripe).pointee.exchange(0, ordering: .sequentiallyConsistent)
        return UnsafeMutablePointer(bitPattern: taken)
    }

    @usableFromInline @inline(never)
    func takeElsewhere(_ home: UInt) -> UnsafeMutablePointer<Slot>? {
        takeFromStacks(home) ?? swept.take()?.assumingMemoryBound(to: Slot.self) ?? takeFromCells(home)
    }

    /// Takes a slot for a waiter, or returns `nil` when two searches found none.
    ///
    /// One search is not enough beside a thread that is stopped. That thread may have put one slot into a stripe that
    /// this search had passed, have seen the waiter, and have taken another slot for it from a stripe that this search
    /// had not reached. The second search finds the first slot.
    func takeThoroughly() -> UnsafeMutablePointer<Slot>? {
        take() ?? takeElsewhere(home)
    }

    private func takeFromStacks(_ home: UInt) -> UnsafeMutablePointer<Slot>? {
        for step in 0...mask {
            if let slot = stack((home &+ step) & mask).take() { return slot.assumingMemoryBound(to: Slot.self) }
        }
        return nil
    }

    private func takeFromCells(_ home: UInt) -> UnsafeMutablePointer<Slot>? {
        for step in 1...(mask + 1) {
            if let slot = takeFromCell((home &+ step) & mask) { return slot }
        }
        return nil
    }

    // MARK: Sweeping

    private var swept: TreiberStack { stack(mask + 1) }

    /// Takes a slot that the sweep has not looked at: from each cell once, then from the stacks.
    ///
    /// It begins with the most recently used slots, because the slot that is set aside first comes back last and is
    /// then on top again. It takes from each cell once: a thread that works with a connection loses it to the sweep
    /// once, and what comes back to the cell later was just used. If the sweep took it again and again, the thread
    /// would use all other connections in turn, and none of them would stay idle for long.
    func sweepNext() -> UnsafeMutablePointer<Slot>? {
        // Relaxed: a second sweep, or one that was stopped, makes this sweep look at fewer or more slots, which is
        // harmless.
        while cellsSwept.pointee.load(ordering: .relaxed) <= mask {
            let index = cellsSwept.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
            if index <= mask, let slot = takeFromCell(index) { return slot }
        }
        return takeFromStacks(home)
    }

    private var cellsSwept: UnsafeMutablePointer<Atomic<UInt>> { cell(mask + 1) }

    /// Sets aside a slot that the sweep has looked at. Sequentially consistent, as ``put(_:)`` is.
    func sweepKeep(_ slot: UnsafeMutablePointer<Slot>) {
        swept.put(UnsafeMutableRawPointer(slot))
    }

    /// Ends a sweep, one slot at a time, the least recently used first: moves a slot from those set aside to the stack
    /// of the home stripe.
    ///
    /// It does not use the cell, because the slot in there was just used and would sink to the bottom. One at a time,
    /// because a thread that searches while a slot moves may miss it, so the caller must look for waiters after each.
    ///
    /// - Returns: `false` if no slot was left.
    func sweepEnd() -> Bool {
        cellsSwept.pointee.store(0, ordering: .relaxed)
        guard let slot = swept.take() else { return false }
        stack(home).put(slot)
        return true
    }
}
