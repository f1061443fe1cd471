import Synchronization

/// A place for one connection. Its memory is type-stable: it is never freed before the pool. The element follows it.
///
/// Where a slot is, is in its word, which only the slot's present owner changes:
///
///     vacant  -> opening   beginOpen(Unasked)  opening -> leased   finishOpen
///     opening -> vacant    cancelOpen          idle    -> leased   tryAcquire, takeIdle, take(Un)swept
///     leased  -> idle      release, put...     leased  -> closing  beginClose, beginCloseExcess
///     closing -> vacant    finishClose         leased  -> vacant   detach
///
/// Owner is whoever took the slot out of an idle or vacant stack, until it puts the slot back. The word also has a serial
/// number, raised each time the slot changes hands, so that a lease that has ended is told from the present one.
@usableFromInline
struct Slot: ~Copyable {
    /// In an idle or a vacant stack, never in both. First, as ``TreiberStack`` wants it.
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

/// The right to a slot; also, before its connection is open, a permit.
@frozen
public struct LockFreeSwiftLease: @unchecked Sendable {
    // Sendable: the slot is reached by atomics only, and the element by whoever holds the lease.
    @usableFromInline let slot: UnsafeMutablePointer<Slot>
    @usableFromInline let serial: UInt64

    /// A lease that exists already, or has ended.
    init(slot: UnsafeMutablePointer<Slot>, serial: UInt64) {
        self.slot = slot
        self.serial = serial
    }

    /// Makes a slot that the caller has just taken out of a stack the caller's own, under a new serial.
    ///
    /// A plain store is enough: nobody else may write the word now, and those who hold an old lease fail on their
    /// compare-and-exchange whichever of the two words they find.
    @inlinable @inline(__always)
    init(taking slot: UnsafeMutablePointer<Slot>, as state: Slot.State) {
        self.slot = slot
        serial = Slot.serial(of: slot.pointee.word.load(ordering: .relaxed)) &+ 1
        slot.pointee.word.store(Slot.word(state, serial: serial), ordering: .relaxed)
    }

    /// Makes the slot idle, for a caller that knows that nobody else can end this lease at the same instant, which saves an
    /// atomic operation. `false` if it had ended before.
    @inlinable @inline(__always)
    func endExclusively() -> Bool {
        guard slot.pointee.word.load(ordering: .relaxed) == Slot.word(.leased, serial: serial) else { return false }
        // The exchange in IdleStripes.put(_:) makes this visible to whoever takes the slot next.
        slot.pointee.word.store(Slot.word(.idle, serial: serial), ordering: .relaxed)
        return true
    }

    /// Ends the lease, or turns it into another state of the same lease. `false` if it had ended before.
    @inlinable @inline(__always)
    func move(from: Slot.State, to: Slot.State) -> Bool {
        slot.pointee.word.compareExchange(
            expected: Slot.word(from, serial: serial),
            desired: Slot.word(to, serial: serial),
            ordering: .acquiringAndReleasing
        ).exchanged
    }
}
