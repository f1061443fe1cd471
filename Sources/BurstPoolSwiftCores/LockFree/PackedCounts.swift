/// Two counts and a flag in one word, so that they change as one.
extension UInt64 {
    init(low: Int, high: Int) {
        self = UInt64(high) << 32 | UInt64(low)
    }

    @inlinable var low: UInt32 { UInt32(truncatingIfNeeded: self) }
    @inlinable var high: UInt32 { UInt32(truncatingIfNeeded: self >> 32) & 0x7fff_ffff }

    /// One in the high half.
    static var highOne: UInt64 { 1 << 32 }

    /// Bit 63.
    static var shutDown: UInt64 { 1 << 63 }
    var isShutDown: Bool { self & .shutDown != 0 }
}
