/// What the pools in the benchmarks keep. Not `Sendable`, as connections of real clients seldom are.
public final class Connection {
    // Connections of real clients are not as small as to share a cache line, which two threads would fight over.
    @usableFromInline let before = SIMD64<UInt16>()
    // Unchecked, for the check of exclusive access would be measured along with the pools.
    @exclusivity(unchecked) @usableFromInline var uses = 0
    @usableFromInline let after = SIMD64<UInt16>()

    @inlinable
    public init() {}

    /// Next to nothing.
    @inlinable
    public func touch() {
        uses &+= 1
    }

    /// The same in the shape of something that may suspend, and does not: as most calls of a buffering client are.
    @inlinable
    public nonisolated(nonsending) func use() async {
        uses &+= 1
    }
}
