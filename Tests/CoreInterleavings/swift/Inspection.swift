// SPDX-License-Identifier: Apache-2.0

import CExplorer

// inspect.h for the Swift core: where each slot and each waiter's node is.

private struct Found {
    var inspection = Inspection()
    var slots: Set<UInt> = []
    var nodes: Set<Int> = []

    mutating func note(_ what: StaticString) {
        if inspection.broken == nil {
            inspection.broken = UnsafeRawPointer(what.utf8Start).assumingMemoryBound(to: CChar.self)
        }
    }

    /// A slot that is idle or vacant.
    mutating func see(
        _ address: UInt,
        _ state: Slot.State,
        _ all: [UInt],
        _ count: WritableKeyPath<Inspection, UInt32>
    ) {
        guard all.contains(address) else { return note("a stack holds what is no slot") }
        guard slots.insert(address).inserted else { return note("a slot is in two places, or in one twice") }
        inspection[keyPath: count] += 1
        let word = UnsafePointer<Slot>(bitPattern: address)!.pointee.word.load(ordering: .relaxed)
        if Slot.state(of: word) != state { note("the word of a slot does not say where the slot is") }
    }
}

private typealias Inspection = CExplorer.inspection

extension TreiberStack {
    fileprivate var entries: [UInt] {
        var entries: [UInt] = []
        var entry = address
        while entry != 0, entries.count < 256 {
            entries.append(entry)
            entry = TreiberStack.link(of: entry).pointee.load(ordering: .relaxed)
        }
        return entries
    }
}

@_cdecl("inspect")
public func inspect(_ pool: OpaquePointer) -> CExplorer.inspection {
    look_begin()
    defer { look_end() }
    let books = exploredPool(pool).pointee.core.books
    var found = Found()
    count(books, &found)
    seeSlots(books, &found)
    if found.inspection.broken == nil { seeNodes(books, &found) }
    return found.inspection
}

private func count(_ books: UnsafeMutablePointer<PoolBooks>, _ found: inout Found) {
    let waiting = books.pointee.waiting.load(ordering: .relaxed)
    let total = books.pointee.total.load(ordering: .relaxed)
    let limits = books.pointee.limits.load(ordering: .relaxed)
    found.inspection.total = total.low
    found.inspection.total_closing = total.high
    found.inspection.waiting = waiting.low
    found.inspection.waiting_without_permit = waiting.high
    found.inspection.is_paused = waiting.isPaused
    found.inspection.keeps_excess = limits & .keepsExcess != 0
    found.inspection.max_size = limits.maxSize
    found.inspection.hard_limit = limits.hardLimit
    found.inspection.dead = UInt64(bitPattern: Int64(books.pointee.queue.dead.load(ordering: .relaxed)))
}

private func seeSlots(_ books: UnsafeMutablePointer<PoolBooks>, _ found: inout Found) {
    let all = (0..<books.pointee.slots.used).map { UInt(bitPattern: books.pointee.slot(at: $0)!) }
    found.inspection.used_slots = UInt32(all.count)
    let mask = books.pointee.idle.mask
    for stripe in 0...mask {
        let cell = books.pointee.idle.cell(stripe).pointee.load(ordering: .relaxed)
        if cell != 0 { found.see(cell, .idle, all, \.idle) }
        for entry in books.pointee.idle.stack(stripe).entries { found.see(entry, .idle, all, \.idle) }
    }
    for entry in books.pointee.idle.stack(mask + 1).entries { found.see(entry, .idle, all, \.swept) }
    found.inspection.idle += found.inspection.swept
    for entry in books.pointee.vacant.entries { found.see(entry, .vacant, all, \.vacant) }
    for address in all where !found.slots.contains(address) {
        let word = UnsafePointer<Slot>(bitPattern: address)!.pointee.word.load(ordering: .relaxed)
        switch Slot.state(of: word) {
        case .leased: found.inspection.in_use += 1
        case .opening: found.inspection.opening += 1
        case .closing: found.inspection.closing += 1
        case .idle, .vacant: found.inspection.nowhere += 1
        }
    }
}

private func seeNodes(_ books: UnsafeMutablePointer<PoolBooks>, _ found: inout Found) {
    let used = books.pointee.queue.nodes.used - 1
    found.inspection.used_nodes = UInt32(used)
    var last = 0
    var index = books.pointee.queue.node(0).pointee.link.loadLink().index
    while index != 0 {
        guard index <= used else { return found.note("a link leads to what is no node") }
        guard found.nodes.insert(index).inserted else { return found.note("the queue leads back into itself") }
        let node = books.pointee.queue.node(index)
        last = index
        found.inspection.linked += 1
        switch WaiterState(bits: node.pointee.state.load(ordering: .relaxed)).status {
        case .handedOff:
            if found.inspection.alive != 0 { found.note("a waiter was handed a connection before an older one") }
            found.inspection.linked_handed_off += 1
        case .left: found.inspection.linked_dead += 1
        case .waiting:
            found.inspection.alive += 1
            found.inspection.alive_without_permit += 1
        case .opening: found.inspection.alive += 1
        case .free, .prepared, .cancelled: found.note("a node is in the queue that has not joined")
        }
        index = node.pointee.link.loadLink().index
    }
    found.inspection.tail_is_last = books.pointee.queue.tail.loadLink().index == last
    for entry in books.pointee.queue.free.entries {
        let index = UnsafePointer<Waiter>(bitPattern: entry)!.pointee.index
        guard found.nodes.insert(index).inserted else {
            return found.note("a node is free twice, or free and in the queue")
        }
        found.inspection.free_nodes += 1
    }
}

@_cdecl("inspect_slot")
public func inspectSlot(_ pool: OpaquePointer, _ index: UInt32) -> OpaquePointer? {
    look_begin()
    defer { look_end() }
    return exploredPool(pool).pointee.core.books.pointee.slot(at: Int(index)).map { OpaquePointer($0) }
}

@_cdecl("inspect_state")
public func inspectState(_ slot: OpaquePointer) -> bp_slot_state {
    look_begin()
    defer { look_end() }
    let word = UnsafePointer<Slot>(slot).pointee.word.load(ordering: .relaxed)
    return bp_slot_state(UInt32(Slot.state(of: word).rawValue))
}

@_cdecl("inspect_ticket")
public func inspectTicket(_ pool: OpaquePointer, _ ticket: bp_ticket) -> ticket_state {
    look_begin()
    defer { look_end() }
    let node = exploredPool(pool).pointee.core.books.pointee.queue.node(Int(ticket.value & (1 << 26 - 1)))
    let state = WaiterState(bits: node.pointee.state.load(ordering: .relaxed))
    guard state.generation == ticket.value >> 26 else { return TICKET_NONE }
    switch state.status {
    case .prepared: return TICKET_PREPARED
    case .waiting: return TICKET_WAITING
    case .opening: return TICKET_OPENING
    case .handedOff, .left, .cancelled: return TICKET_GONE
    case .free: return TICKET_NONE
    }
}

/// Traces of this core name cells by their addresses.
@_cdecl("inspect_name")
public func inspectName(
    _ pool: OpaquePointer,
    _ cell: UnsafeRawPointer,
    _ name: UnsafeMutablePointer<CChar>,
    _ size: Int
) {
    let text = "\(UInt(bitPattern: cell))"
    for (offset, character) in text.utf8CString.prefix(size).enumerated() { name[offset] = character }
}
