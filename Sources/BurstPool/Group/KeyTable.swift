// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The cells of a group's keys by hash value: a hash table with open addressing, which callers read without a lock.
///
/// Only a thread with the group's lock changes the table. A reader may come in the middle of a change and miss a key that is
/// there. It then looks again with the lock, so a miss costs time and nothing else. A reader can also find a cell that was
/// removed, or that another key has now. It enters the cell, and notices (see ``KeyCell``).
///
/// Sendable: the words are atomic, and what they lead to is accessed as ``KeyCell`` says.
///
/// A table that is full is replaced by one of twice the size. Readers may still be in the old one, which is therefore kept as
/// long as the group. All old tables together are smaller than the present one.
@usableFromInline
struct KeyTable: ~Copyable, @unchecked Sendable {
    /// The words of one table. The first holds the number of entries minus 1; the number is a power of two. Each further word
    /// is 0, or the address of a cell in the lower 48 bits and the upper 16 bits of its hash value above them.
    @usableFromInline typealias Words = UnsafeMutablePointer<Atomic<UInt64>>

    @usableFromInline let words: Atomic<Words>

    /// What only threads with the lock know about the table.
    struct Size: ~Copyable {
        fileprivate(set) var count = 0
        fileprivate var old: [Words] = []

        deinit {
            for table in old { table.deallocate() }
        }
    }

    @inlinable static var addressMask: UInt64 { (1 << 48) - 1 }

    init() {
        words = Atomic(Self.allocate(16))
    }

    deinit {
        words.load(ordering: .acquiring).deallocate()
    }

    private static func allocate(_ entries: Int) -> Words {
        let words = Words.allocate(capacity: entries + 1)
        words.initialize(to: Atomic(UInt64(entries - 1)))
        for index in 1...entries { (words + index).initialize(to: Atomic(0)) }
        return words
    }

    private static func word(_ cell: KeyCellPointer, _ hash: Int) -> UInt64 {
        UInt64(UInt(bitPattern: cell)) | (UInt64(UInt(bitPattern: hash)) & ~addressMask)
    }

    // MARK: Changes, with the group's lock

    /// Returns the cell with this hash value that the condition accepts. Exact, because no other thread changes the table.
    func find(_ hash: Int, _ accepts: (KeyCellPointer) -> Bool) -> KeyCellPointer? {
        let words = words.load(ordering: .acquiring)
        let mask = Int(words.pointee.load(ordering: .relaxed))
        var index = hash & mask
        while true {
            let word = words[index + 1].load(ordering: .relaxed)
            guard word != 0 else { return nil }
            if let cell = KeyCellPointer(bitPattern: UInt(word & Self.addressMask)), cell.pointee.hash == hash,
                accepts(cell)
            {
                return cell
            }
            index = (index + 1) & mask
        }
    }

    /// Adds a live cell that is not in the table.
    func insert(_ cell: KeyCellPointer, _ size: inout Size) {
        var table = words.load(ordering: .relaxed)
        let entries = Int(table.pointee.load(ordering: .relaxed)) + 1
        if (size.count + 1) * 4 > entries * 3 {
            let larger = Self.allocate(entries * 2)
            for index in 1...entries {
                let word = table[index].load(ordering: .relaxed)
                guard let other = KeyCellPointer(bitPattern: UInt(word & Self.addressMask)) else { continue }
                Self.put(other, in: larger)
            }
            size.old.append(table)
            table = larger
            // Releasing: a reader of the new table finds its words written.
            words.store(larger, ordering: .releasing)
        }
        Self.put(cell, in: table)
        size.count += 1
    }

    private static func put(_ cell: KeyCellPointer, in words: Words) {
        let mask = Int(words.pointee.load(ordering: .relaxed))
        var index = cell.pointee.hash & mask
        while words[index + 1].load(ordering: .relaxed) != 0 { index = (index + 1) & mask }
        // Releasing: a reader that finds the cell also finds what was written to it before.
        words[index + 1].store(word(cell, cell.pointee.hash), ordering: .releasing)
    }

    /// Removes a cell, and closes the gap, so that a search can end at the first empty word.
    func remove(_ cell: KeyCellPointer, _ size: inout Size) {
        let words = words.load(ordering: .relaxed)
        let mask = Int(words.pointee.load(ordering: .relaxed))
        var gap = cell.pointee.hash & mask
        while words[gap + 1].load(ordering: .relaxed) != Self.word(cell, cell.pointee.hash) { gap = (gap + 1) & mask }
        var index = gap
        while true {
            index = (index + 1) & mask
            let word = words[index + 1].load(ordering: .relaxed)
            guard let other = KeyCellPointer(bitPattern: UInt(word & Self.addressMask)) else { break }
            // A cell may move to the gap if the gap is between the place where its search begins and its present place.
            let home = other.pointee.hash & mask
            guard (index - home) & mask >= (index - gap) & mask else { continue }
            words[gap + 1].store(word, ordering: .releasing)
            gap = index
        }
        words[gap + 1].store(0, ordering: .releasing)
        size.count -= 1
    }
}
