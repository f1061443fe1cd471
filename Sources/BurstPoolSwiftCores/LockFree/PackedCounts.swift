// SPDX-License-Identifier: Apache-2.0

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

    /// Bit 31 of the limits: excess connections are kept. The low half is then greater than any count.
    static var keepsExcess: UInt64 { 1 << 31 }

    /// Bit 63.
    static var shutDown: UInt64 { 1 << 63 }
    var isShutDown: Bool { self & .shutDown != 0 }
}
