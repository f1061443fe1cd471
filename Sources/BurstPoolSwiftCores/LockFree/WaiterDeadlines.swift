import BurstPool
import Synchronization

/// The earliest deadline of all waiters, and of each group of 64 of them: so that finding those whose time has come does
/// not mean to look at everybody.
///
/// Each is no later than the truth. It is lowered by who joins, and found anew by who makes waiters go.
struct WaiterDeadlines: ~Copyable {
    private static var groupSize: Int { 64 }

    /// `UInt64.max` if nobody waits with a deadline.
    private let ofAll = Atomic<UInt64>(.max)
    private let padding = CacheLinePadding()
    /// For each group the difference from `UInt64.max`, so that zeroed memory means: none.
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

    /// Makes room for the group of this waiter.
    func reserve(_ index: Int) throws(_PoolCoreFailure) {
        try groups.reserve(Self.group(of: index))
    }

    var earliestOfAll: UInt64 { ofAll.load(ordering: .sequentiallyConsistent) }

    /// `nil` if nobody of this group has ever waited.
    func earliest(inGroup group: Int) -> UInt64? {
        word(group).map { .max - $0.pointee.load(ordering: .sequentiallyConsistent) }
    }

    /// - Returns: Whether this is now the earliest of all.
    func lower(to deadline: UInt64, for index: Int) -> Bool {
        lower(to: deadline, inGroup: Self.group(of: index))
        return lowerEarliestOfAll(to: deadline)
    }

    func lower(to deadline: UInt64, inGroup group: Int) {
        guard let word = word(group) else { return }
        var found = word.pointee.load(ordering: .sequentiallyConsistent)
        while .max - found > deadline {
            let (lowered, now) = word.pointee.compareExchange(
                expected: found,
                desired: .max - deadline,
                ordering: .sequentiallyConsistent
            )
            if lowered { return }
            found = now
        }
    }

    /// - Returns: Whether it was this call that lowered it.
    func lowerEarliestOfAll(to deadline: UInt64) -> Bool {
        // Not `min`, which would write each time, though nearly every deadline is later than those before it.
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

    func reset(group: Int) {
        word(group)?.pointee.store(0, ordering: .sequentiallyConsistent)
    }
}
