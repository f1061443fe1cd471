// SPDX-License-Identifier: Apache-2.0

import BurstPool

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Zeroed memory, which is the representation of an `Atomic` of an integer with the value 0.
///
/// It comes from `calloc`, which leaves the pages of a large block untouched until they are used, and returns `nil`
/// without memory. Swift's own allocation would end the process.
enum ZeroedMemory {
    /// - Parameter alignment: A power of two, at least that of a pointer.
    static func allocate(byteCount: Int, alignment: Int) throws(_PoolCoreFailure) -> UnsafeMutableRawPointer {
        let (sum, overflow) = byteCount.addingReportingOverflow(alignment + MemoryLayout<UnsafeMutableRawPointer>.size)
        guard !overflow, let block = calloc(1, sum) else { throw .outOfMemory }
        let start = (block + MemoryLayout<UnsafeMutableRawPointer>.size).alignedUp(toMultipleOf: alignment)
        start.storeBytes(
            of: block,
            toByteOffset: -MemoryLayout<UnsafeMutableRawPointer>.size,
            as: UnsafeMutableRawPointer.self
        )
        return start
    }

    static func deallocate(_ memory: UnsafeMutableRawPointer) {
        let header = memory - MemoryLayout<UnsafeMutableRawPointer>.size
        free(header.load(as: UnsafeMutableRawPointer.self))
    }
}

extension UnsafeMutableRawPointer {
    fileprivate func alignedUp(toMultipleOf alignment: Int) -> UnsafeMutableRawPointer {
        let misalignment = Int(bitPattern: self) & (alignment - 1)
        return misalignment == 0 ? self : self + (alignment - misalignment)
    }
}
