// SPDX-License-Identifier: Apache-2.0

import CAllocationCount
import CoreOperations

/// The measurements: parts of the program, each between two dumps of callgrind's counts.
///
/// Used by one task at a time.
final class Record: @unchecked Sendable {
    static let few = 1_000
    static let many = 101_000

    private struct Stretch {
        var name: String
        var count: Int
        /// Part n of callgrind's output has the counts since dump n - 1.
        var part: Int
        var allocations: UInt64
    }

    private var stretches: [Stretch] = []
    private var flags = 0

    init() {
        stretches.reserveCapacity(256)
    }

    private func begin() {
        guard_dump()
        flags += 1
        allocation_count_start()
    }

    private func end(_ name: String, _ count: Int) {
        let allocations = allocation_count_stop()
        guard_dump()
        flags += 1
        stretches.append(Stretch(name: name, count: count, part: flags, allocations: allocations))
    }

    func stretch(_ name: String, _ count: Int, _ body: () -> Void) {
        begin()
        body()
        end(name, count)
    }

    func measure(_ name: String, _ body: (Int) -> Void) {
        body(Self.few)
        for count in [Self.few, Self.many] {
            begin()
            body(count)
            end(name, count)
        }
    }

    nonisolated(nonsending)
        func measure(_ name: String, _ body: nonisolated(nonsending) (Int) async throws -> Void)
        async rethrows
    {
        try await body(Self.few)
        for count in [Self.few, Self.many] {
            begin()
            try await body(count)
            end(name, count)
        }
    }

    func print() {
        for stretch in stretches {
            Swift.print("\(stretch.part)\t\(stretch.count)\t\(stretch.allocations)\t\(stretch.name)")
        }
    }
}
