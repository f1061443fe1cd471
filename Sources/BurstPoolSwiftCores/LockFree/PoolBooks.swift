import BurstPool
import Synchronization

/// What a pool knows, in one place that never moves.
@usableFromInline
struct PoolBooks: ~Copyable {
    // One line that the hot path reads and only slow paths write.

    /// Low: those in the queue. High: those of them without a permit. And whether the pool is paused, or has been shut
    /// down. Raised before a waiter can be found in the queue, lowered after it has gone: never too low.
    @usableFromInline let waiting = Atomic<UInt64>(0)
    /// Low: total. High: those of them closing.
    @usableFromInline let places = Atomic<UInt64>(0)
    /// Low: the soft limit. High: the hard limit. And whether the pool has been shut down.
    @usableFromInline let limits: Atomic<UInt64>
    @usableFromInline let idle: IdleStripes
    @usableFromInline let elementOffset: Int

    private let padding = CacheLinePadding()

    let vacant: TreiberStack
    private let vacantMemory: UnsafeMutableRawPointer
    let slots: TypeStableTable
    let observations: LeaseObservations
    let queue: WaiterQueue
    let maxWaiters: Int
    private let owner: Unmanaged<AnyObject>

    init(_ configuration: _PoolCoreConfiguration) throws(_PoolCoreFailure) {
        let alignment = max(configuration.elementAlignment, MemoryLayout<Slot>.alignment)
        let elementOffset = MemoryLayout<Slot>.size.roundedUp(toMultipleOf: alignment)
        let slotAlignment = max(alignment, 64)
        let (slotSize, overflow) = elementOffset.addingReportingOverflow(configuration.elementSize)
        guard !overflow, slotSize <= Int.max / 2 else { throw .outOfMemory }
        // What can fail first: a structure that cannot be copied cannot be left half made.
        let slotStride = slotSize.roundedUp(toMultipleOf: slotAlignment)
        let slots = try TypeStableTable(stride: slotStride, alignment: slotAlignment)
        // Near the pool, as in the core in C.
        try slots.reserve(0)
        let observations = try LeaseObservations()
        let queue = try WaiterQueue()
        let idle = try IdleStripes()
        vacantMemory = try ZeroedMemory.allocate(byteCount: TreiberStack.byteCount, alignment: 128)
        vacant = TreiberStack(at: vacantMemory)
        limits = Atomic(
            UInt64(low: configuration.limits.maxSize, high: configuration.limits.hardLimit)
                | (configuration.keepsExcess ? .keepsExcess : 0)
        )
        self.elementOffset = elementOffset
        self.idle = idle
        self.slots = slots
        self.observations = observations
        self.queue = queue
        maxWaiters = configuration.maxWaiters ?? WaiterQueue.capacity
        owner = configuration.owner
    }

    deinit {
        ZeroedMemory.deallocate(vacantMemory)
        owner.release()
    }

    var memory: Int {
        MemoryLayout<PoolBooks>.size + idle.memory + slots.memory + observations.memory + queue.memory
    }

    func slot(at index: Int) -> UnsafeMutablePointer<Slot>? {
        slots.entry(at: index)?.assumingMemoryBound(to: Slot.self)
    }
}

extension Int {
    fileprivate func roundedUp(toMultipleOf alignment: Int) -> Int {
        (self + alignment - 1) & ~(alignment - 1)
    }
}
