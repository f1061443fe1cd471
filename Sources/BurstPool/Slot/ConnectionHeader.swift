// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What the pool knows about a connection, stored in the connection's slot, in front of it.
///
/// The memory of a slot begins as zeros, which are a valid header without any information, and a header is never
/// deinitialized. So any thread may look at the header of any slot at any time. All fields are atomic, because maintenance
/// looks at connections that are in use, and sets their flags.
@usableFromInline
struct ConnectionHeader: ~Copyable {
    /// Zero if nothing is special about the connection. The fast path looks at this field only.
    @usableFromInline let flags: Atomic<UInt32>
    /// The task whose asynchronous body uses the connection.
    @usableFromInline let holder: LeaseHolder
    /// The number of immediate evictions of the pool when the opening of this connection began.
    let generation: Atomic<UInt32>
    /// The number of this connection, which no other connection of the pool has; 0 before the first.
    let number: Atomic<UInt64>
    /// When the connection becomes too old, on the pool's clock; 0 means never.
    let expiresAt: Atomic<UInt64>
    /// Since when maintenance counts the connection as idle, or as in use. Valid with the flag `wakesMaintenance`.
    let unchangedSince: Atomic<UInt64>
    /// What aborts the attempt to open the connection, or its use. Taken out by the thread that calls it, or by the thread
    /// that closes the connection.
    let abortHandle: ExchangeBox<AbortHandle>
    /// The call of the strategy with a time limit that is under way for this slot, if there is one.
    let operation: ExchangeBox<TimedOperation>
    /// The state of the slot at its latest inspection: an ``InspectedState``.
    let inspectedState: Atomic<UInt64>
    /// When an inspection first found the slot in that state, on the pool's clock.
    let inspectedSince: Atomic<UInt64>
}

/// A closure that aborts an attempt to open a connection, or the use of one.
final class AbortHandle: Sendable {
    let abort: @Sendable () -> Void

    init(_ abort: @escaping @Sendable () -> Void) {
        self.abort = abort
    }
}

extension ConnectionHeader {
    @inlinable @inline(__always)
    func flags(_ mask: ConnectionFlags) -> ConnectionFlags {
        ConnectionFlags(rawValue: flags.load(ordering: .relaxed)).intersection(mask)
    }

    func set(_ new: ConnectionFlags) {
        flags.bitwiseOr(new.rawValue, ordering: .relaxed)
    }

    /// Sets flags after the fields that belong to them have been stored.
    func setReleasing(_ new: ConnectionFlags) {
        flags.bitwiseOr(new.rawValue, ordering: .releasing)
    }

    func clear(_ old: ConnectionFlags) {
        flags.bitwiseAnd(~old.rawValue, ordering: .relaxed)
    }

    /// Begins the life of another connection in this slot.
    func reset(_ initialFlags: ConnectionFlags, generation newGeneration: UInt32, number newNumber: UInt64) {
        flags.store(initialFlags.rawValue, ordering: .relaxed)
        generation.store(newGeneration, ordering: .relaxed)
        number.store(newNumber, ordering: .relaxed)
        expiresAt.store(0, ordering: .relaxed)
        inspectedState.store(0, ordering: .relaxed)
    }

    /// Makes the connection expire at a moment at the latest.
    func lowerExpiry(to moment: UInt64) {
        var expiry = expiresAt.load(ordering: .relaxed)
        while expiry == 0 || expiry > moment {
            let (lowered, found) = expiresAt.compareExchange(expected: expiry, desired: moment, ordering: .relaxed)
            if lowered { return }
            expiry = found
        }
    }
}
