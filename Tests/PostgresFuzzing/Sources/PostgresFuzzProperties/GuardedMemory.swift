// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Memory between two pages that cannot be accessed. A read before or after its bytes ends the process.
///
/// It notices what the address sanitizer would notice, in a build without it.
final class GuardedMemory {
    private let page = sysconf(Int32(_SC_PAGESIZE))
    private let capacity: Int
    private let start: UnsafeMutableRawPointer

    /// - Parameter count: The number of bytes for which there must be room.
    init(for count: Int) {
        capacity = (count + page - 1) / page * page
        let all = mmap(nil, capacity + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | Self.anonymous, -1, 0)
        guard let all, all != MAP_FAILED else { fatalError("There is no memory for an input of \(count) bytes.") }
        start = all + page
        mprotect(all, page, PROT_NONE)
        mprotect(start + capacity, page, PROT_NONE)
    }

    deinit { munmap(start - page, capacity + 2 * page) }

    /// Copies bytes to the beginning of the memory, so that no byte before them can be read.
    func first(_ bytes: [UInt8]) -> UnsafeRawBufferPointer { copy(bytes, to: start) }

    /// Copies bytes to the end of the memory, so that no byte after them can be read.
    func last(_ bytes: [UInt8]) -> UnsafeRawBufferPointer { copy(bytes, to: start + capacity - bytes.count) }

    private func copy(_ bytes: [UInt8], to place: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer {
        bytes.withUnsafeBytes { if let source = $0.baseAddress { place.copyMemory(from: source, byteCount: $0.count) } }
        return UnsafeRawBufferPointer(start: place, count: bytes.count)
    }

    #if canImport(Darwin)
        private static let anonymous = MAP_ANON
    #else
        private static let anonymous = MAP_ANONYMOUS
    #endif
}
