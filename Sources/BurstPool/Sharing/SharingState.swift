// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How many leases of a shared connection exist, and what is special about them, in one word.
///
/// A lease exists from the moment at which its slot is made until the slot is given up, whether it is idle or in use. A thread
/// that wants to look at the connection without a lease pins it for that time. While there are leases or pins, the connection
/// stays where it is. The thread that removes the last of them returns the connection.
@usableFromInline
struct SharingState: Equatable {
    /// Bits 0 to 31: the number of leases. Bits 32 to 39: flags. Bits 40 to 63: the number of pins.
    @usableFromInline let bits: UInt64

    @inlinable
    init(bits: UInt64) {
        self.bits = bits
    }

    /// There are, or may be, more leases than there should be. Each thread that holds one checks whether to give it up.
    static let losesLeases: UInt64 = 1 << 32
    /// All leases are given up when they are idle, so that the connection can be returned. A waiter can undo this.
    static let isWindingDown: UInt64 = 1 << 33
    /// Each lease is recorded or reported.
    static let notesLeases: UInt64 = 1 << 34

    private static let onePin: UInt64 = 1 << 40

    /// One pin, and no lease yet.
    static func pinned(notesLeases: Bool) -> SharingState {
        SharingState(bits: onePin | (notesLeases ? Self.notesLeases : 0))
    }

    /// Whether a lease of the connection is not to be handed out or released as any other.
    @inlinable var isSpecial: Bool { bits & 0xff_0000_0000 != 0 }

    /// Whether neither a lease nor a pin exists.
    var isEmpty: Bool { leases == 0 && bits < Self.onePin }
    var leases: Int { Int(UInt32(truncatingIfNeeded: bits)) }

    func contains(_ flag: UInt64) -> Bool { bits & flag != 0 }
    func with(_ flags: UInt64) -> SharingState { SharingState(bits: bits | flags) }
    func without(_ flags: UInt64) -> SharingState { SharingState(bits: bits & ~flags) }

    var withLease: SharingState { SharingState(bits: bits + 1) }
    var withoutLease: SharingState { SharingState(bits: bits - 1).normalized }
    var withPin: SharingState { SharingState(bits: bits + Self.onePin) }
    var withoutPin: SharingState { SharingState(bits: bits - Self.onePin).normalized }

    /// Without leases and pins, nothing is left of the state.
    private var normalized: SharingState { isEmpty ? SharingState(bits: 0) : self }
}

/// What a shared connection has in its slot, behind the connection. Memory of zeros is a header without leases.
///
/// The memory of a slot is never freed before the pool, so a lease can refer to the header of its connection, and any thread may
/// look at any header at any time.
@usableFromInline
struct SharingHeader: ~Copyable {
    @usableFromInline let word: Atomic<UInt64>
    /// The limit of simultaneous leases, as the strategy told it last.
    @usableFromInline let knownLimit: Atomic<Int>

    @inlinable @inline(__always)
    var stateNow: SharingState { SharingState(bits: word.load(ordering: .relaxed)) }

    var state: SharingState { SharingState(bits: word.load(ordering: .sequentiallyConsistent)) }

    /// Changes the state, unless `change` returns `nil`. Returns the state before and after.
    func change(_ change: (SharingState) -> SharingState?) -> (before: SharingState, after: SharingState)? {
        var before = state
        while let after = change(before) {
            let (exchanged, found) = word.compareExchange(
                expected: before.bits,
                desired: after.bits,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return (before, after) }
            before = SharingState(bits: found)
        }
        return nil
    }
}
