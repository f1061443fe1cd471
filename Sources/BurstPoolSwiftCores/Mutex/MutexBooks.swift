// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// The state of a pool with one lock: plain values that one thread at a time changes.
struct MutexBooks {
    typealias SlotState = _PoolCoreSlotState

    struct Slot {
        let element: UnsafeMutableRawPointer
        var state = SlotState.vacant
        /// Raised with each lease.
        var serial: UInt64 = 0
        var observedSerial: UInt64 = 0
        var observedAt: UInt64 = 0
    }

    var slots: [Slot] = []
    /// Last in, first out.
    var idle: [Int] = []
    /// Also idle: the connections that a sweep has set aside. A sweep begins with the least recently used.
    var swept: [Int] = []
    var vacant: [Int] = []
    var opening = 0
    var leased = 0
    var closing = 0

    var limits: _PoolCoreLimits
    var keepsExcess: Bool
    /// The most callers that may wait without a permit while no slot is free, or `nil` for any number.
    let maxWaiters: Int?
    var isPaused = false
    var isShutDown = false

    var queue = MutexWaitQueue()
    /// The tickets of callers that have not joined yet.
    var prepared: Set<UInt64> = []
    var lastTicket: UInt64 = 0

    /// When leases were last observed; 0 means never.
    var observedAt: UInt64 = 0

    init(limits: _PoolCoreLimits, keepsExcess: Bool, maxWaiters: Int?) {
        self.limits = limits
        self.keepsExcess = keepsExcess
        self.maxWaiters = maxWaiters
    }

    var total: Int { idle.count + swept.count + leased + opening + closing }
    var hasExcess: Bool { total - closing > (keepsExcess ? limits.hardLimit : limits.maxSize) }
    /// In a core that is paused or shut down, every release reconciles.
    var needsReconciling: Bool { isPaused || isShutDown || !queue.isEmpty || hasExcess }
    var hasWaiters: Bool { !isPaused && !queue.isEmpty }
    var hasPermitForWaiter: Bool { !isPaused && queue.countWithoutPermit > 0 && total < limits.hardLimit }
    var lineIsFull: Bool {
        maxWaiters.map { queue.countWithoutPermit - max(limits.hardLimit - total, 0) >= $0 } ?? false
    }

    mutating func takeIdle() -> MutexLease? {
        (idle.popLast() ?? swept.popLast()).map { leaseIdle($0) }
    }

    mutating func sweepNext() -> MutexLease? {
        idle.isEmpty ? nil : leaseIdle(idle.removeFirst())
    }

    /// Ends a sweep: every connection is where it was. Returns `false` if none was set aside.
    mutating func sweepEnd() -> Bool {
        defer { swept = [] }
        idle.insert(contentsOf: swept, at: 0)
        return !swept.isEmpty
    }

    private mutating func leaseIdle(_ index: Int) -> MutexLease {
        leased += 1
        return lease(index, as: .leased)
    }

    mutating func returnIdle(_ lease: MutexLease) {
        makeIdle(lease)
        idle.append(lease.index)
    }

    mutating func sweepKeep(_ lease: MutexLease) {
        makeIdle(lease)
        swept.append(lease.index)
    }

    private mutating func makeIdle(_ lease: MutexLease) {
        move(lease, from: .leased, to: .idle)
        leased -= 1
    }

    /// Takes a permit. A slot must be free.
    mutating func reserveSlot(elementSize: Int, elementAlignment: Int) -> MutexLease {
        opening += 1
        if let vacant = vacant.popLast() { return lease(vacant, as: .opening) }
        let element = UnsafeMutableRawPointer.allocate(byteCount: elementSize, alignment: elementAlignment)
        element.initializeMemory(as: UInt8.self, repeating: 0, count: elementSize)
        slots.append(Slot(element: element))
        return lease(slots.count - 1, as: .opening)
    }

    /// Creates a new lease of this slot.
    mutating func lease(_ index: Int, as state: SlotState) -> MutexLease {
        slots[index].state = state
        slots[index].serial += 1
        return MutexLease(index: index, serial: slots[index].serial, element: slots[index].element)
    }

    func isCurrent(_ lease: MutexLease, as state: SlotState) -> Bool {
        slots[lease.index].serial == lease.serial && slots[lease.index].state == state
    }

    mutating func move(_ lease: MutexLease, from: SlotState, to: SlotState) {
        assert(isCurrent(lease, as: from), "the lease has ended")
        slots[lease.index].state = to
    }
}

/// The right to use a slot. Before its connection is open, it is a permit.
public struct MutexLease: @unchecked Sendable {
    // Sendable, because only the holder of the lease uses the element.
    let index: Int
    let serial: UInt64
    let element: UnsafeMutableRawPointer
}

/// One wait of one caller. A ticket is never used twice.
public struct MutexTicket: Sendable {
    let number: UInt64
}
