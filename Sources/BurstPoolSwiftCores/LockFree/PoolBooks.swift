// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// The state of a pool, at an address that never changes.
@usableFromInline
struct PoolBooks: ~Copyable {
    // One cache line that the fast path reads and only slow paths write.

    /// Low: the waiters. High: those of them without a permit. The flags say whether the pool is paused or shut down.
    /// Raised before a waiter can be found in the queue, and lowered after it has left, so the counts are never too
    /// low.
    @usableFromInline let waiting = Atomic<UInt64>(0)
    /// Low: all connections. High: those of them that are closing.
    @usableFromInline let total = Atomic<UInt64>(0)
    /// Low: the soft limit. High: the hard limit. A flag says whether the pool is shut down.
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
        // Everything that can fail comes first, because a structure that cannot be copied must be initialized
        // completely.
        let slotStride = slotSize.roundedUp(toMultipleOf: slotAlignment)
        let slots = try TypeStableTable(stride: slotStride, alignment: slotAlignment)
        // Close to the pool, as in the core in C.
        try slots.reserve(0)
        let observations = try LeaseObservations()
        let queue = try WaiterQueue()
        let idle = try IdleStripes()
        vacantMemory = try ZeroedMemory.allocate(byteCount: TreiberStack.byteCount, alignment: 128)
        vacant = TreiberStack(at: vacantMemory)
        limits = Atomic(UInt64(configuration.limits, keepsExcess: configuration.keepsExcess))
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
