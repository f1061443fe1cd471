import BurstPool
import Synchronization

/// The earliest deadline of all waiters, and of each group of 64 of them: so that finding those whose time has come does
/// not mean to look at everybody.
///
/// Each is no later than the truth. It is lowered by who joins, and found anew by who makes waiters go.
///
/// A group whose members are being looked at is marked, with a number never used before in place of its deadline: all who
/// come meanwhile look as well, so that nothing hangs on the one who looks, and whoever joins meanwhile changes the mark,
/// so that the one who looks does not write down what it found without the newcomer. Deadlines so small that they could
/// be flags are kept as flags.
struct WaiterDeadlines: ~Copyable {
    private static var groupSize: Int { 64 }

    /// `UInt64.max` if nobody waits with a deadline.
    private let ofAll = Atomic<UInt64>(.max)
    private let flags = Atomic<UInt64>(0)
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

    private static func isMark(_ deadline: UInt64) -> Bool { deadline <= UInt64(UInt32.max) }

    private func newMark() -> UInt64 {
        flags.wrappingAdd(1, ordering: .relaxed).oldValue & UInt64(UInt32.max)
    }

    /// What a group says to somebody who asks whose time has come.
    enum Answer {
        /// Nobody's before then.
        case notBefore(UInt64)
        /// Look at the members; then say so, with this mark.
        case look(mark: UInt64)
    }

    /// `nil` if nobody of this group has ever waited.
    func ask(group: Int, now: UInt64) -> Answer? {
        guard let word = word(group) else { return nil }
        var found = word.pointee.load(ordering: .sequentiallyConsistent)
        while true {
            let earliest = .max - found
            if Self.isMark(earliest) { return .look(mark: earliest) }
            guard earliest <= now else { return .notBefore(earliest) }
            // Before the states are read: pairs with join, which sets the state before it lowers this.
            let mark = newMark()
            let (marked, other) = word.pointee.compareExchange(
                expected: found,
                desired: .max - mark,
                ordering: .sequentiallyConsistent
            )
            if marked { return .look(mark: mark) }
            found = other
        }
    }

    /// Writes down what a look at the members has found, if nobody has joined meanwhile.
    func looked(atGroup group: Int, mark: UInt64, earliest: UInt64) {
        guard !Self.isMark(earliest) else { return }
        _ = word(group)?.pointee.compareExchange(
            expected: .max - mark,
            desired: .max - earliest,
            ordering: .sequentiallyConsistent
        )
    }

    /// - Returns: Whether this is now the earliest of all.
    func lower(to deadline: UInt64, for index: Int) -> Bool {
        lower(to: deadline, inGroup: Self.group(of: index))
        return lowerEarliestOfAll(to: deadline)
    }

    private func lower(to deadline: UInt64, inGroup group: Int) {
        guard let word = word(group) else { return }
        var found = word.pointee.load(ordering: .sequentiallyConsistent)
        while true {
            let earliest = .max - found
            guard Self.isMark(earliest) || earliest > deadline else { return }
            let new = Self.isMark(earliest) || Self.isMark(deadline) ? newMark() : deadline
            let (lowered, other) = word.pointee.compareExchange(
                expected: found,
                desired: .max - new,
                ordering: .sequentiallyConsistent
            )
            if lowered { return }
            found = other
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
}
