import BurstPool

/// What a pool with one lock knows: plain values, changed by one thread at a time.
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
    /// Idle as well: those that a sweep has looked at, which begins with the coldest.
    var swept: [Int] = []
    var vacant: [Int] = []
    var opening = 0
    var leased = 0
    var closing = 0

    var limits: _PoolCoreLimits
    var keepsExcess: Bool
    /// How many may wait without a permit beside those for whom there is a free place; `nil` for any number.
    let maxWaiters: Int?
    var isPaused = false
    var isShutDown = false

    var line = WaitingLine()
    /// Tickets of those who have not joined yet.
    var prepared: Set<UInt64> = []
    var lastTicket: UInt64 = 0

    /// 0: never.
    var observedAt: UInt64 = 0

    init(limits: _PoolCoreLimits, keepsExcess: Bool, maxWaiters: Int?) {
        self.limits = limits
        self.keepsExcess = keepsExcess
        self.maxWaiters = maxWaiters
    }

    var total: Int { idle.count + swept.count + leased + opening + closing }
    var hasExcess: Bool { !keepsExcess && total - closing > limits.maxSize }
    /// In a core that is paused or shut down, every release reconciles.
    var needsReconciling: Bool { isPaused || isShutDown || !line.isEmpty || hasExcess }
    var hasWaiters: Bool { !isPaused && !line.isEmpty }
    var hasPermitForWaiter: Bool { !isPaused && line.countWithoutPermit > 0 && total < limits.hardLimit }
    var lineIsFull: Bool {
        maxWaiters.map { line.countWithoutPermit - max(limits.hardLimit - total, 0) >= $0 } ?? false
    }

    mutating func takeIdle() -> MutexLease? {
        (idle.popLast() ?? swept.popLast()).map { leaseIdle($0) }
    }

    mutating func sweepNext() -> MutexLease? {
        idle.isEmpty ? nil : leaseIdle(idle.removeFirst())
    }

    /// Ends a sweep: all is where it was. `false` if nothing was put aside.
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

    /// Takes a permit, for which there is room.
    mutating func takePlace(elementSize: Int, elementAlignment: Int) -> MutexLease {
        opening += 1
        if let vacant = vacant.popLast() { return lease(vacant, as: .opening) }
        let element = UnsafeMutableRawPointer.allocate(byteCount: elementSize, alignment: elementAlignment)
        element.initializeMemory(as: UInt8.self, repeating: 0, count: elementSize)
        slots.append(Slot(element: element))
        return lease(slots.count - 1, as: .opening)
    }

    /// A new lease of this slot.
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

/// The right to a slot; also, before its connection is open, a permit.
public struct MutexLease: @unchecked Sendable {
    // Sendable: whoever holds the lease owns the element.
    let index: Int
    let serial: UInt64
    let element: UnsafeMutableRawPointer
}

/// One wait of one caller. Never used twice.
public struct MutexTicket: Sendable {
    let number: UInt64
}
