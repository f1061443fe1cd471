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
/// One shared stack would bounce its top between the CPUs. So there are more stripes than CPUs, and each thread has a
/// home stripe: a cell for one slot, and a stack behind it. Putting back exchanges the cell's content, and what was in it
/// goes to the stack; taking exchanges the cell's content for nothing. A thread that leases and returns touches its home
/// cell only, and never another thread's cache line. When home is empty the others are searched, stacks before cells, so
/// that a neighbour keeps the connection it is working with.
///
/// One more stack holds what a sweep has looked at already, so that the sweep gets down to the cold ones at the bottom with
/// one connection in hand at a time. Whoever finds the stripes' stacks empty takes from it as from any of them.
///
/// All operations are lock-free; a thread stopped anywhere in here holds back the one slot it has in hand.
@usableFromInline
struct IdleStripes: ~Copyable {
    /// And one behind the last: its stack is the swept one, its cell the count of cells swept.
    @usableFromInline let stripes: UnsafeMutableRawPointer
    /// Number of stripes - 1; that number is a power of two.
    @usableFromInline let mask: UInt
    @usableFromInline let thread: ThreadNumber

    /// A cell, a stack, and nothing else in two cache lines, which CPUs like to fetch together.
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

    /// Puts a slot back.
    ///
    /// Releasing: the slot's word and what its owner wrote to the connection are visible to whoever takes it out.
    /// Sequentially consistent: what the caller reads next (is anybody waiting?) is read after it.
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

    /// Takes a slot, or `nil` when a look through all stripes found none. The look is not one instant: a slot that
    /// another thread puts back behind it is missed, which is why whoever puts back looks for waiters afterwards.
    @inlinable @inline(__always)
    func take() -> UnsafeMutablePointer<Slot>? {
        let home = home
        return takeFromCell(home) ?? takeElsewhere(home)
    }

    @inlinable @inline(__always)
    func takeFromCell(_ stripe: UInt) -> UnsafeMutablePointer<Slot>? {
        // Sequentially consistent: somebody who has just joined the queue must not read this from before that.
        guard cell(stripe).pointee.load(ordering: .sequentiallyConsistent) != 0 else { return nil }
        // Acquiring: pairs with the exchange in put(_:) that brought the slot here.
        let taken = cell(stripe).pointee.exchange(0, ordering: .sequentiallyConsistent)
        return UnsafeMutablePointer(bitPattern: taken)
    }

    @usableFromInline @inline(never)
    func takeElsewhere(_ home: UInt) -> UnsafeMutablePointer<Slot>? {
        takeFromStacks(home) ?? swept.take()?.assumingMemoryBound(to: Slot.self) ?? takeFromCells(home)
    }

    /// Takes a slot for somebody who waits, or `nil` when two looks found none.
    ///
    /// One is not enough beside a thread that is stopped: it may have put one slot where this look had been, have seen the
    /// waiter, and have taken another one, for it, from where this look had not been yet. The second look finds the first.
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

    /// Takes a slot that this sweep has not come by: first from each cell, then from the stacks, from the top down.
    ///
    /// The warmest first, for what is put on the swept stack first comes back last, and so on top again. From each cell
    /// once: who works with a connection loses it once in a sweep, to the next warm one, and what comes back to the cell
    /// afterwards has just been used. To take it again and again would make its user go through all the cold ones, and so
    /// keep them from ever being idle for long.
    func sweepNext() -> UnsafeMutablePointer<Slot>? {
        // Without order: a second sweeper, or one that was stopped, makes this sweep look at less or more, and no harm.
        while cellsSwept.pointee.load(ordering: .relaxed) <= mask {
            let index = cellsSwept.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
            if index <= mask, let slot = takeFromCell(index) { return slot }
        }
        return takeFromStacks(home)
    }

    private var cellsSwept: UnsafeMutablePointer<Atomic<UInt>> { cell(mask + 1) }

    /// Where a sweep puts what it has looked at. Sequentially consistent, as ``put(_:)`` is.
    func sweepKeep(_ slot: UnsafeMutablePointer<Slot>) {
        swept.put(UnsafeMutableRawPointer(slot))
    }

    /// Ends a sweep, one slot at a time, the coldest first: moves it from the swept stack to the one behind the home cell.
    ///
    /// Not into the cell: what is there now is warm, and would sink to the bottom. One at a time, for who searches while a
    /// slot moves may miss it: so the caller looks for waiters after each.
    ///
    /// - Returns: `false` when there was none.
    func sweepEnd() -> Bool {
        cellsSwept.pointee.store(0, ordering: .relaxed)
        guard let slot = swept.take() else { return false }
        stack(home).put(slot)
        return true
    }
}
