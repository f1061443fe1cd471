// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A slot: a place for one connection. Its memory is type-stable: it is not freed before the pool. The element follows
/// it.
///
/// The word of a slot has its state. Only the present owner of the slot changes it:
///
///     vacant  -> opening   beginOpen           opening -> leased   finishOpen
///     opening -> vacant    cancelOpen          idle    -> leased   tryAcquire, takeIdle, sweepNext
///     leased  -> idle      release, ...Idle, sweepKeep     leased  -> closing  beginClose, beginCloseExcess
///     closing -> vacant    finishClose         leased  -> vacant   detach
///
/// The owner is the thread that took the slot out of an idle or vacant stack, until it puts the slot back. The word
/// also has a serial number, which is raised each time the owner changes, so that a lease that has ended differs from
/// the present one.
@usableFromInline
struct Slot: ~Copyable {
    /// The entry in an idle or a vacant stack, never in both. It is the first field, because ``TreiberStack`` needs
    /// that.
    let next: Atomic<UInt>
    @usableFromInline let word: Atomic<UInt64>

    @usableFromInline
    enum State: UInt64, CaseIterable {
        case vacant, opening, idle, leased, closing
    }

    @inlinable static var stateBits: UInt64 { 3 }

    @inlinable
    static func word(_ state: State, serial: UInt64) -> UInt64 {
        serial << stateBits | state.rawValue
    }

    @inlinable
    static func serial(of word: UInt64) -> UInt64 {
        word >> stateBits
    }

    static func state(of word: UInt64) -> State {
        State(rawValue: word & (1 << stateBits - 1)).unsafelyUnwrapped
    }
}

/// The right to use a slot. Before its connection is open, it is a permit.
@frozen
public struct LockFreeSwiftLease: @unchecked Sendable {
    // Sendable, because the slot is accessed only by atomics, and the element only by the holder of the lease.
    @usableFromInline let slot: UnsafeMutablePointer<Slot>
    @usableFromInline let serial: UInt64

    /// A lease that exists already, or has ended.
    init(slot: UnsafeMutablePointer<Slot>, serial: UInt64) {
        self.slot = slot
        self.serial = serial
    }

    /// Makes the caller the owner of a slot that it has just taken out of a stack, under a new serial.
    ///
    /// A plain store is enough. No other thread may write the word now, and a thread with an old lease fails at its
    /// compare-and-exchange, whichever of the two words it finds.
    /// compare-and-exchange whichever of the two words they find.
    @inlinable @inline(__always)
    init(taking slot: UnsafeMutablePointer<Slot>, as state: Slot.State) {
        self.slot = slot
        serial = Slot.serial(of: slot.pointee.word.load(ordering: .relaxed)) &+ 1
        slot.pointee.word.store(Slot.word(state, serial: serial), ordering: .relaxed)
    }

    /// Makes the slot idle. The caller knows that no other thread can end this lease at the same instant, which saves
    /// an atomic operation. Returns `false` if the lease had ended before.
    @inlinable @inline(__always)
    func endExclusively() -> Bool {
        guard slot.pointee.word.load(ordering: .relaxed) == Slot.word(.leased, serial: serial) else { return false }
        // The exchange in IdleStripes.put(_:) makes this visible to the thread that takes the slot next.
        slot.pointee.word.store(Slot.word(.idle, serial: serial), ordering: .relaxed)
        return true
    }

    /// Moves the slot to another state, which ends the lease if that is idle or vacant. Returns `false` if it had ended
    /// before.
    @inlinable @inline(__always)
    func move(from: Slot.State, to: Slot.State) -> Bool {
        slot.pointee.word.compareExchange(
            expected: Slot.word(from, serial: serial),
            desired: Slot.word(to, serial: serial),
            ordering: .acquiringAndReleasing
        ).exchanged
    }
}
