import BurstPool

/// What a pool with one lock knows: plain values, changed by one thread at a time.
struct MutexBooks {
    enum SlotState {
        case vacant, opening, idle, leased, closing
    }

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
    var vacant: [Int] = []
    var opening = 0
    var leased = 0
    var closing = 0

    var maxSize: Int
    var hardLimit: Int
    var isShutDown = false

    var line = WaitingLine()
    /// Tickets of those who have not joined yet.
    var prepared: Set<UInt64> = []
    var lastTicket: UInt64 = 0

    /// 0: never.
    var observedAt: UInt64 = 0

    var total: Int { idle.count + leased + opening + closing }
    var hasSurplus: Bool { total - closing > maxSize }
    var needsSettling: Bool { !line.isEmpty || hasSurplus }

    mutating func takeIdle() -> MutexLease? {
        guard let index = idle.popLast() else { return nil }
        leased += 1
        return lease(index, as: .leased)
    }

    mutating func putBack(_ lease: MutexLease) {
        move(lease, from: .leased, to: .idle)
        leased -= 1
        idle.append(lease.index)
    }

    /// A new lease of this slot.
    mutating func lease(_ index: Int, as state: SlotState) -> MutexLease {
        slots[index].state = state
        slots[index].serial += 1
        return MutexLease(index: index, serial: slots[index].serial, element: slots[index].element)
    }

    mutating func move(_ lease: MutexLease, from: SlotState, to: SlotState) {
        assert(slots[lease.index].serial == lease.serial && slots[lease.index].state == from, "the lease has ended")
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
