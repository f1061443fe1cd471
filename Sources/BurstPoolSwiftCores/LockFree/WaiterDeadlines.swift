// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// The earliest deadline of all waiters, and of each group of 64 waiters, so that finding the waiters whose deadline
/// has passed does not need a look at every waiter.
///
/// Each value is no later than the earliest deadline. A join lowers it, and an expiry computes it anew.
///
/// While a thread scans the members of a group, a scan number that was never used before replaces the group's deadline.
/// Other threads that see it scan the group as well, so that none depends on the first one. A caller that joins
/// meanwhile replaces the scan number, so that the scanning thread does not store a result that lacks the new waiter.
/// Deadlines that are so small that they could be scan numbers are treated as scan numbers.
struct WaiterDeadlines: ~Copyable {
    private static var groupSize: Int { 64 }

    /// `UInt64.max` if no caller waits with a deadline.
    private let ofAll = Atomic<UInt64>(.max)
    private let flags = Atomic<UInt64>(0)
    private let padding = CacheLinePadding()
    /// The difference of each group's value from `UInt64.max`, so that zeroed memory means none.
    private let groups: TypeStableTable

    init() throws(_PoolCoreFailure) {
        groups = try TypeStableTable(
            stride: MemoryLayout<Atomic<UInt64>>.stride,
            alignment: MemoryLayout<Atomic<UInt64>>.alignment
        )
    }

    var memory: Int { groups.memory }

    static func group(of index: Int) -> Int { index / groupSize }

    static func members(of group: Int) -> Range<Int> { group * groupSize..<(group + 1) * groupSize }

    private func word(_ group: Int) -> UnsafeMutablePointer<Atomic<UInt64>>? {
        groups.entry(at: group)?.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// Allocates memory for the group of this waiter.
    func reserve(_ index: Int) throws(_PoolCoreFailure) {
        try groups.reserve(Self.group(of: index))
    }

    var earliestOfAll: UInt64 { ofAll.load(ordering: .sequentiallyConsistent) }

    private static func isScanNumber(_ deadline: UInt64) -> Bool { deadline <= UInt64(UInt32.max) }

    private func newScanNumber() -> UInt64 {
        flags.wrappingAdd(1, ordering: .relaxed).oldValue & UInt64(UInt32.max)
    }

    /// The state of a group.
    enum Answer {
        /// No deadline of the group is before this time.
        case notBefore(UInt64)
        /// The caller must scan the members, and then report the result with this scan number.
        case look(scan: UInt64)
    }

    /// Returns `nil` if no member of this group has ever waited.
    func ask(group: Int, now: UInt64) -> Answer? {
        guard let word = word(group) else { return nil }
        var found = word.pointee.load(ordering: .sequentiallyConsistent)
        while true {
            let earliest = .max - found
            if Self.isScanNumber(earliest) { return .look(scan: earliest) }
            guard earliest <= now else { return .notBefore(earliest) }
            // Before the states are read. Pairs with join, which sets the state before it lowers this value.
            let scan = newScanNumber()
            let (exchanged, other) = word.pointee.compareExchange(
                expected: found,
                desired: .max - scan,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return .look(scan: scan) }
            found = other
        }
    }

    /// Stores the result of a scan, unless a waiter has joined meanwhile.
    func looked(atGroup group: Int, scan: UInt64, earliest: UInt64) {
        guard !Self.isScanNumber(earliest) else { return }
        _ = word(group)?.pointee.compareExchange(
            expected: .max - scan,
            desired: .max - earliest,
            ordering: .sequentiallyConsistent
        )
    }

    /// - Returns: Whether this deadline is now the earliest of all.
    func lower(to deadline: UInt64, for index: Int) -> Bool {
        lower(to: deadline, inGroup: Self.group(of: index))
        return lowerEarliestOfAll(to: deadline)
    }

    private func lower(to deadline: UInt64, inGroup group: Int) {
        guard let word = word(group) else { return }
        var found = word.pointee.load(ordering: .sequentiallyConsistent)
        while true {
            let earliest = .max - found
            guard Self.isScanNumber(earliest) || earliest > deadline else { return }
            let new = Self.isScanNumber(earliest) || Self.isScanNumber(deadline) ? newScanNumber() : deadline
            let (lowered, other) = word.pointee.compareExchange(
                expected: found,
                desired: .max - new,
                ordering: .sequentiallyConsistent
            )
            if lowered { return }
            found = other
        }
    }

    /// - Returns: Whether this call has lowered it.
    func lowerEarliestOfAll(to deadline: UInt64) -> Bool {
        // Not `min`, which would always write, although nearly every deadline is later than those before it.
        var found = ofAll.load(ordering: .sequentiallyConsistent)
        while found > deadline {
            let (lowered, now) = ofAll.compareExchange(
                expected: found,
                desired: deadline,
                ordering: .sequentiallyConsistent
            )
            if lowered { return true }
            found = now
        }
        return false
    }

    func reset() {
        ofAll.store(.max, ordering: .sequentiallyConsistent)
    }
}
