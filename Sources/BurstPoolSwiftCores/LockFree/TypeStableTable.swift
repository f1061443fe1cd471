// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// A table that grows and never moves. An entry has an index and an address, which stay valid as long as the table.
///
/// Chunk k holds `64 << k` entries, so a table of n entries has about log2(n / 64) chunks, and growing copies nothing.
/// Memory is zeroed. Giving out an entry is lock-free, except that each new chunk comes from the system's allocator.
struct TypeStableTable: ~Copyable {
    /// The number of entries that all chunks hold together.
    static var capacity: Int { (1 << (firstChunkBits + chunkCount)) - (1 << firstChunkBits) }

    private static var firstChunkBits: Int { 6 }
    private static var chunkCount: Int { 25 }

    private let stride: Int
    private let alignment: Int
    /// The addresses of the chunks, or 0 where there is no chunk yet.
    private let chunks: UnsafeMutablePointer<Atomic<UInt>>
    private let usedCount = Atomic<Int>(0)

    /// - Parameters:
    ///   - stride: The distance from one entry to the next in bytes, a multiple of the alignment.
    ///   - alignment: A power of two, at least that of a pointer.
    init(stride: Int, alignment: Int) throws(_PoolCoreFailure) {
        self.stride = stride
        self.alignment = alignment
        let memory = try ZeroedMemory.allocate(
            byteCount: Self.chunkCount * MemoryLayout<Atomic<UInt>>.stride,
            alignment: MemoryLayout<Atomic<UInt>>.alignment
        )
        chunks = memory.bindMemory(to: Atomic<UInt>.self, capacity: Self.chunkCount)
    }

    deinit {
        for chunk in 0..<Self.chunkCount {
            let address = chunks[chunk].load(ordering: .relaxed)
            if let memory = UnsafeMutableRawPointer(bitPattern: address) { ZeroedMemory.deallocate(memory) }
        }
        ZeroedMemory.deallocate(UnsafeMutableRawPointer(chunks))
    }

    /// The number of entries that were given out.
    ///
    /// Sequentially consistent, because a thread that expires waiters must read this after it has reset the earliest
    /// deadline.
    var used: Int { usedCount.load(ordering: .sequentiallyConsistent) }

    /// The number of bytes that the chunks take.
    var memory: Int {
        (0..<Self.chunkCount).reduce(0) { sum, chunk in
            chunks[chunk].load(ordering: .relaxed) == 0 ? sum : sum + (stride << (chunk + Self.firstChunkBits))
        }
    }

    private static func position(of index: Int) -> (chunk: Int, offset: Int) {
        let position = index + (1 << firstChunkBits)
        let power = Int.bitWidth - 1 - position.leadingZeroBitCount
        return (power - firstChunkBits, position - (1 << power))
    }

    /// Returns the entry with this index, or `nil` if there is no memory for it.
    func entry(at index: Int) -> UnsafeMutableRawPointer? {
        let (chunk, offset) = Self.position(of: index)
        guard chunk < Self.chunkCount else { return nil }
        // Acquiring: pairs with the compare-and-exchange in reserve(_:) that published the zeroed chunk.
        return UnsafeMutableRawPointer(bitPattern: chunks[chunk].load(ordering: .acquiring)).map {
            $0 + offset * stride
        }
    }

    /// Makes sure that the entry with this index has memory.
    func reserve(_ index: Int) throws(_PoolCoreFailure) {
        let (chunk, _) = Self.position(of: index)
        guard chunk < Self.chunkCount else { throw .outOfMemory }
        guard chunks[chunk].load(ordering: .acquiring) == 0 else { return }
        let (byteCount, overflow) = stride.multipliedReportingOverflow(by: 1 << (chunk + Self.firstChunkBits))
        guard !overflow else { throw .outOfMemory }
        let memory = try ZeroedMemory.allocate(byteCount: byteCount, alignment: alignment)
        // Publishes the zeroed memory. Pairs with the load in entry(at:). A thread that comes second frees its own
        // chunk.
        let (published, _) = chunks[chunk].compareExchange(
            expected: 0,
            desired: UInt(bitPattern: memory),
            ordering: .acquiringAndReleasing
        )
        if !published { ZeroedMemory.deallocate(memory) }
    }

    /// Gives out the next index below the limit. Returns `nil` when the limit is reached.
    func extend(limit: Int) throws(_PoolCoreFailure) -> Int? {
        var used = usedCount.load(ordering: .acquiring)
        while used < limit {
            try reserve(used)
            let (mine, found) = usedCount.compareExchange(
                expected: used,
                desired: used + 1,
                ordering: .acquiringAndReleasing
            )
            if mine { return used }
            used = found
        }
        return nil
    }
}
