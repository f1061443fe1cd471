// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A node of the waiter queue. Its memory is type-stable, so that a stale address still leads to a node.
///
/// One compare-and-exchange on a waiter's state decides how its wait ends. The thread that moves it to handed off or to
/// left must resume the waiter, and no other thread does. All that follows (setting the deleted bit, taking the node
/// out, reusing it) is housekeeping that any thread may do.
///
///     free     -> prepared   prepare        waiting -> opening           beginOpening
///     prepared -> waiting    join           opening -> waiting           requeue
///     prepared -> cancelled  leave          waiting, opening -> handed off  handOff
///     prepared -> free       withdraw       waiting, opening -> left        leave, expire
///     cancelled -> free      join, withdraw
///     handed off, left -> prepared  prepare, after the node was taken out of the list
struct Waiter: ~Copyable {
    /// The entry in the stack of free nodes. It is the first field, because ``TreiberStack`` needs that.
    let next: Atomic<UInt>
    /// A ``WaiterLink``.
    let link: Atomic<UInt64>
    /// A ``WaiterState``.
    let state: Atomic<UInt64>
    let context: Atomic<UInt>
    let deadline: Atomic<UInt64>
    /// The index in the table, written once.
    var index: Int

    /// A cache line, so that two waiters do not share one.
    static var stride: Int { 64 }
}

enum WaiterStatus: UInt64 {
    case free
    case prepared
    /// For a connection or a permit.
    case waiting
    /// A connection is being opened for this waiter. It also takes one that is released.
    case opening
    case handedOff
    case left
    /// It was claimed before it joined.
    case cancelled
}

/// A set of statuses.
struct WaiterStatuses: OptionSet {
    let rawValue: UInt64
    static let waiting = WaiterStatuses(rawValue: 1 << WaiterStatus.waiting.rawValue)
    static let opening = WaiterStatuses(rawValue: 1 << WaiterStatus.opening.rawValue)
    static let inQueue: WaiterStatuses = [.waiting, .opening]

    func contains(_ status: WaiterStatus) -> Bool { rawValue >> status.rawValue & 1 != 0 }
}

/// A status, and the generation of the node, which is also in its tickets.
struct WaiterState {
    let bits: UInt64

    private static var statusBits: UInt64 { 3 }

    init(bits: UInt64) {
        self.bits = bits
    }

    init(generation: UInt64, _ status: WaiterStatus) {
        bits = generation << Self.statusBits | status.rawValue
    }

    var status: WaiterStatus { WaiterStatus(rawValue: bits & (1 << Self.statusBits - 1)).unsafelyUnwrapped }
    var generation: UInt64 { bits >> Self.statusBits }

    func with(_ status: WaiterStatus) -> WaiterState {
        WaiterState(generation: generation, status)
    }

    /// The first state of the node's next life.
    var reborn: WaiterState {
        WaiterState(generation: (generation + 1) & LockFreeSwiftTicket.generationMask, .prepared)
    }
}

/// The index of the next node (0: none), the deleted bit, and a tag.
///
/// The deleted bit says that the node is removed: nothing can be appended to it, and the node after it cannot be taken
/// out. Each change raises the tag, so that a link read before a node was reused is never mistaken for the present one.
struct WaiterLink: Equatable {
    let bits: UInt64

    private static var deletedBit: UInt64 { 1 << LockFreeSwiftTicket.indexBits }
    private static var tagOne: UInt64 { deletedBit << 1 }

    var index: Int { Int(bits & (Self.deletedBit - 1)) }
    var isDeleted: Bool { bits & Self.deletedBit != 0 }

    /// Returns the link that replaces this one: to another node, with the tag raised.
    func leading(to index: Int) -> WaiterLink {
        WaiterLink(bits: (bits & ~(Self.tagOne - 1)) &+ Self.tagOne | UInt64(index))
    }

    /// Returns the same link with the deleted bit set and the tag raised.
    var deleted: WaiterLink { WaiterLink(bits: (bits &+ Self.tagOne) | Self.deletedBit) }
}

/// One wait of one caller. A ticket is never used twice.
@frozen
public struct LockFreeSwiftTicket: Sendable {
    let bits: UInt64

    static var indexBits: UInt64 { 26 }
    static var generationMask: UInt64 { 1 << (64 - indexBits) - 1 }

    init(index: Int, generation: UInt64) {
        bits = generation << Self.indexBits | UInt64(index)
    }

    var index: Int { Int(bits & (1 << Self.indexBits - 1)) }
    var generation: UInt64 { bits >> Self.indexBits }
}
