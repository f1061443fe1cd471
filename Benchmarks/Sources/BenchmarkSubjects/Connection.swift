// SPDX-License-Identifier: Apache-2.0

/// The connections of the pools in the benchmarks. Not `Sendable`, because connections of real clients seldom are.
public final class Connection {
    // Connections of real clients are too large to share a cache line, for which two threads would compete.
    @usableFromInline let before = SIMD64<UInt16>()
    // Unchecked, because the check of exclusive access would be measured together with the pools.
    @exclusivity(unchecked) @usableFromInline var uses = 0
    @usableFromInline let after = SIMD64<UInt16>()

    @inlinable
    public init() {}

    /// Does almost nothing.
    @inlinable
    public func touch() {
        uses &+= 1
    }

    /// The same for a function that may suspend, but does not, like most calls of a buffering client.
    @inlinable
    public nonisolated(nonsending) func use() async {
        uses &+= 1
    }
}
