// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A lock-free table of the callers that wait: since when, and where in the source they called the pool.
///
/// The memory of the table is freed only together with the pool, so any thread may read it at any time, and no thread waits for
/// another one. A caller claims a free cell near the one that follows from the number of its wait, and frees the cell when its
/// task goes on after the wait. The table gets a greater chunk only if a quarter of the cells of the latest chunk are in use, so
/// its memory is in proportion to the greatest number of callers at a time.
@usableFromInline
final class WaitTable: Sendable {
    /// A cell that a caller has claimed.
    @usableFromInline
    struct Place {
        fileprivate let words: UnsafeMutablePointer<Atomic<UInt64>>
    }

    /// A description of one wait.
    struct Entry {
        let since: UInt64
        let location: ConnectionLeaseLocation?
        let taskName: String?
    }

    /// The indices of the words in a cell. The first word is 0 while the cell is free, 1 while it is being filled, and after
    /// that the number of the wait plus 2.
    private enum Word {
        static let number = 0, since = 1, fileID = 2, line = 3, name = 4
    }

    /// The number of chunks. The last one has a million cells. A caller that finds no free cell there is not listed.
    private static let chunkCount = 18
    private static let fewestProbes = 8

    private let tracksPlaces: Bool
    private let wordsInCell: Int
    nonisolated(unsafe) private let chunks: UnsafeMutablePointer<Atomic<UInt>>
    /// The index of the chunk in which callers look for a free cell.
    private let latest = Atomic(0)

    init(tracksPlaces: Bool) {
        self.tracksPlaces = tracksPlaces
        wordsInCell = tracksPlaces ? Word.name + AtomicText.byteCount / 8 : Word.fileID
        chunks = .allocate(capacity: Self.chunkCount)
        for index in 0..<Self.chunkCount { (chunks + index).initialize(to: Atomic(0)) }
    }

    deinit {
        for index in 0..<Self.chunkCount {
            if let chunk = chunk(index) { UnsafeMutableRawPointer(chunk).deallocate() }
        }
        chunks.deallocate()
    }

    /// Notes that a caller waits. Returns `nil` if the caller cannot be listed.
    @usableFromInline
    func begin(_ number: UInt64, at moment: UInt64, _ site: _LeaseSite, notesName: Bool) -> Place? {
        guard let words = claim(number) else { return nil }
        words[Word.since].store(moment, ordering: .relaxed)
        if tracksPlaces {
            words[Word.fileID].store(UInt64(UInt(bitPattern: site.fileID.utf8Start)), ordering: .relaxed)
            words[Word.line].store(UInt64(site.line), ordering: .relaxed)
            AtomicText(words + Word.name).store(notesName ? currentTaskName() : nil)
        }
        // Releasing: a thread that reads the number also reads the other words that were stored before it.
        words[Word.number].store(number &+ 2, ordering: .releasing)
        return Place(words: words)
    }

    /// Notes that a caller no longer waits.
    @usableFromInline
    func end(_ place: Place?) {
        place?.words[Word.number].store(0, ordering: .releasing)
    }

    /// The callers that wait, longest wait first. O(cells).
    var entries: [Entry] {
        var entries: [Entry] = []
        forEachWait { words in
            let since = words[Word.since].load(ordering: .relaxed)
            var location: ConnectionLeaseLocation?
            var name: String?
            if tracksPlaces {
                let fileID = UInt(words[Word.fileID].load(ordering: .relaxed))
                location = ConnectionLeaseLocation(fileID, line: Int(words[Word.line].load(ordering: .relaxed)))
                name = AtomicText(words + Word.name).load()
            }
            let entry = Entry(since: since, location: location, taskName: name)
            return { entries.append(entry) }
        }
        return entries.sorted { $0.since < $1.since }
    }

    /// When the oldest wait began; `nil` if no caller waits. O(cells).
    var earliest: UInt64? {
        var earliest: UInt64?
        forEachWait { words in
            let since = words[Word.since].load(ordering: .relaxed)
            return { earliest = min(earliest ?? .max, since) }
        }
        return earliest
    }

    /// Calls `read` with each cell of a waiting caller, and then the closure that `read` returned, unless the cell has changed
    /// meanwhile.
    private func forEachWait(_ read: (UnsafeMutablePointer<Atomic<UInt64>>) -> () -> Void) {
        for index in 0...latest.load(ordering: .acquiring) {
            guard let chunk = chunk(index) else { continue }
            for cell in 0..<Self.capacity(index) {
                let words = chunk + cell * wordsInCell
                let number = words[Word.number].load(ordering: .acquiring)
                guard number > 1 else { continue }
                let use = read(words)
                atomicMemoryFence(ordering: .acquiring)
                if words[Word.number].load(ordering: .relaxed) == number { use() }
            }
        }
    }

    // MARK: Cells

    private static func capacity(_ index: Int) -> Int { 8 << index }

    /// The first cell to try, in a chunk. The multiplication spreads the numbers of waits, which are close to each other, over the
    /// whole chunk (Knuth, The Art of Computer Programming, volume 3, section 6.4: Fibonacci hashing).
    private static func firstCell(_ number: UInt64, inChunk index: Int) -> Int {
        Int((number &* 0x9e37_79b9_7f4a_7c15) >> UInt64(64 - 3 - index))
    }

    /// The number of cells in all chunks. For tests.
    var cellCount: Int {
        (0..<Self.chunkCount).reduce(0) { $0 + (chunk($1) == nil ? 0 : Self.capacity($1)) }
    }

    /// Claims a free cell for a wait. Returns `nil` if the table has no free cell for it.
    private func claim(_ number: UInt64) -> UnsafeMutablePointer<Atomic<UInt64>>? {
        var index = latest.load(ordering: .relaxed)
        while true {
            guard let chunk = chunk(index) ?? addChunk(index) else { return nil }
            let capacity = Self.capacity(index)
            let first = Self.firstCell(number, inChunk: index)
            for probe in 0..<max(Self.fewestProbes, capacity / 4) {
                let words = chunk + ((first + probe) & (capacity - 1)) * wordsInCell
                guard words[Word.number].load(ordering: .relaxed) == 0 else { continue }
                let isFree = words[Word.number].compareExchange(expected: 0, desired: 1, ordering: .acquiring)
                if isFree.exchanged { return words }
            }
            guard index + 1 < Self.chunkCount else { return nil }
            index += 1
            latest.max(index)
        }
    }

    private func chunk(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>>? {
        UnsafeMutablePointer(bitPattern: chunks[index].load(ordering: .acquiring))
    }

    /// Adds a chunk, or returns the chunk that another thread has added meanwhile.
    private func addChunk(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>>? {
        let words = Self.capacity(index) * wordsInCell
        let added = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: words)
        for word in 0..<words { (added + word).initialize(to: Atomic(0)) }
        let (exchanged, found) = chunks[index].compareExchange(
            expected: 0,
            desired: UInt(bitPattern: added),
            ordering: .acquiringAndReleasing
        )
        if exchanged { return added }
        added.deallocate()
        return UnsafeMutablePointer(bitPattern: found)
    }
}

extension Atomic<Int> {
    /// Raises the value to at least `minimum`.
    fileprivate func max(_ minimum: Int) {
        var found = load(ordering: .relaxed)
        while found < minimum {
            let (exchanged, original) = compareExchange(expected: found, desired: minimum, ordering: .releasing)
            if exchanged { return }
            found = original
        }
    }
}
