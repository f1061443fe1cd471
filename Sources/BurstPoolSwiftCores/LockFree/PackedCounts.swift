// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// Two counts and two flags in one word, so that they change together.
extension UInt64 {
    init(low: Int, high: Int) {
        self = UInt64(high) << 32 | UInt64(low)
    }

    @inlinable var low: UInt32 { UInt32(truncatingIfNeeded: self) }
    @inlinable var high: UInt32 { UInt32(truncatingIfNeeded: self >> 32) & 0x3fff_ffff }

    /// One in the high half.
    static var highOne: UInt64 { 1 << 32 }

    /// Bit 62.
    static var paused: UInt64 { 1 << 62 }
    var isPaused: Bool { self & .paused != 0 }

    /// Whether waiters lack a permit, and the core is not paused.
    var permitsAreDue: Bool { !isPaused && high != 0 }

    /// Bit 62 of the limits: the core keeps excess connections.
    static var keepsExcess: UInt64 { 1 << 62 }

    /// The limits in one word. The low half is how many connections are kept: the soft limit, or the hard limit if the core keeps
    /// excess connections. The high half is the other limit.
    init(_ limits: _PoolCoreLimits, keepsExcess: Bool) {
        self =
            keepsExcess
            ? UInt64(low: limits.hardLimit, high: limits.maxSize) | .keepsExcess
            : UInt64(low: limits.maxSize, high: limits.hardLimit)
    }

    var maxSize: UInt32 { self & .keepsExcess == 0 ? low : high }
    var hardLimit: UInt32 { self & .keepsExcess == 0 ? high : low }

    /// Bit 63.
    static var shutDown: UInt64 { 1 << 63 }
    var isShutDown: Bool { self & .shutDown != 0 }
}
