// SPDX-License-Identifier: Apache-2.0

import CBurstPool
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A cell for one key of a group: the key's pool, and how many threads are using it.
///
/// A caller finds a cell without a lock, and must use the pool in it without retaining the pool: Swift cannot load a reference
/// and retain it in one atomic step, and the reference count would be a counter that all callers of the key share. So cells are
/// *type-stable*. Their memory is freed only together with the group, and a cell that is no longer needed is used again for
/// another key. Any thread may therefore enter any cell whose address it has ever read, and ask then whether the cell is live.
///
/// ```
/// a caller                                    the thread that ends a key (under the group's lock)
///   raise a counter of the cell      (A)        make the cell dead               (C)
///   is the cell live?                (B)        are all counters 0?              (D)
///     no: lower the counter, and leave            no: make the cell live again
///     yes: compare the key, use the pool,         yes: take the pool and the key out
///     lower the counter
/// ```
///
/// All four are sequentially consistent. So if (B) finds the cell live, then (A) comes before (D), and the thread that ends the
/// key finds the caller. The pool and the key of a cell are thus never freed while a caller uses them, and a caller never uses
/// those of a cell that was dead when it entered. The caller stays inside for its whole lease, so that a release is covered, too.
///
/// The counters are striped by CPU. A thread may leave on another CPU than it has entered, but it lowers the counter that it has
/// raised. So each counter is the number of callers that have raised it and are still inside. After (C) no caller that stays
/// raises one, so it does not matter that (D) reads them one after the other.
@usableFromInline
struct KeyCell: ~Copyable {
    /// Whether the cell has a pool. Written under the group's lock.
    @usableFromInline let isLive: Atomic<Bool>
    /// The number of counters minus 1; the number is a power of two. Set once.
    @usableFromInline let counterMask: Int
    /// The hash value of the key. This and the next two are written while the cell is dead and no thread is inside.
    @usableFromInline var hash: Int
    /// The engine of the pool, retained by the cell.
    @usableFromInline var engine: Unmanaged<AnyObject>?
    var share: Unmanaged<GroupShare>?
    /// The cell that was created before this one. Set once.
    let previous: UnsafeMutablePointer<KeyCell>?
    /// The next free cell, under the group's lock.
    var nextFree: UnsafeMutablePointer<KeyCell>?
    /// What the latest sweep has seen of the pool, and since when. Used by the thread that sweeps.
    var activity: UInt64
    var unchangedSince: UInt64
}

extension KeyCell {
    static var lineSize: Int { 64 }

    /// The offset of the counters: each has a cache line of its own, behind the cell itself.
    @inlinable static var countersOffset: Int { (MemoryLayout<KeyCell>.size + 63) & ~63 }

    /// How many counters a cell has on this machine: one for each CPU, but at most 8, so that a cell stays small. A counter
    /// that several CPUs share costs them time, and nothing else.
    /// Read once: the layout of all cells depends on it, and the system reads a file to tell the number of CPUs.
    static let counterCount: Int = {
        let processors = min(8, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        var count = 1
        while count < processors { count *= 2 }
        return count
    }()

    /// The offset of the key.
    static func keyOffset<Key>(_ key: Key.Type) -> Int {
        let end = countersOffset + counterCount * lineSize
        let mask = MemoryLayout<Key>.alignment - 1
        return (end + mask) & ~mask
    }
}

@usableFromInline
typealias KeyCellPointer = UnsafeMutablePointer<KeyCell>

extension UnsafeMutablePointer where Pointee == KeyCell {
    /// Enters the cell. The caller looks next whether the cell is live, and leaves the cell by the counter that this returns.
    @inlinable @inline(__always)
    func enter() -> UnsafeMutablePointer<Atomic<Int>> {
        let stripe = Int(bp_home_number()) & pointee.counterMask
        let counter = (UnsafeMutableRawPointer(self) + KeyCell.countersOffset + stripe &* 64)
            .assumingMemoryBound(to: Atomic<Int>.self)
        // (A) above.
        counter.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        return counter
    }

    /// Whether the cell has a pool. (B) above.
    @inlinable @inline(__always)
    var isLive: Bool { pointee.isLive.load(ordering: .sequentiallyConsistent) }

    /// Whether a thread is inside. (D) above, after the cell was made dead.
    var isEntered: Bool {
        (0...pointee.counterMask).contains { stripe in
            let counter = (UnsafeMutableRawPointer(self) + KeyCell.countersOffset + stripe * KeyCell.lineSize)
                .assumingMemoryBound(to: Atomic<Int>.self)
            return counter.pointee.load(ordering: .sequentiallyConsistent) != 0
        }
    }

    /// Runs a body inside the cell, so that its pool does not end meanwhile. Returns `nil` if the cell has no pool now.
    func whileLive<Result>(_ body: () -> Result?) -> Result? {
        let counter = enter()
        // Releasing: what this thread did with the pool happens before the pool is freed.
        defer { counter.pointee.wrappingSubtract(1, ordering: .releasing) }
        return isLive ? body() : nil
    }

    /// Runs a body with the share of the cell's pool. Returns `nil` if the cell has no pool now.
    func withShare<Result>(_ body: (GroupShare) -> Result?) -> Result? {
        whileLive { pointee.share.flatMap { body($0.takeUnretainedValue()) } }
    }
}

/// The memory of all cells of a group. Freed when neither the group nor any of its pools needs it any more.
final class KeyCells: Sendable {
    /// The cell that was created last. Every cell leads to the one before it.
    nonisolated(unsafe) private let latest = Atomic<UnsafeMutablePointer<KeyCell>?>(nil)
    private let size: Int

    init<Key>(for key: Key.Type) {
        size = KeyCell.keyOffset(key) + MemoryLayout<Key>.size
    }

    deinit {
        forEach { UnsafeMutableRawPointer($0).deallocate() }
    }

    /// Creates a dead cell. Called under the group's lock.
    func create() -> KeyCellPointer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: KeyCell.lineSize)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        let cell = memory.assumingMemoryBound(to: KeyCell.self)
        cell.initialize(
            to: KeyCell(
                isLive: Atomic(false),
                counterMask: KeyCell.counterCount - 1,
                hash: 0,
                engine: nil,
                share: nil,
                previous: latest.load(ordering: .relaxed),
                nextFree: nil,
                activity: 0,
                unchangedSince: 0
            )
        )
        // Releasing: a thread that walks the cells finds this one initialized.
        latest.store(cell, ordering: .releasing)
        return cell
    }

    /// Visits every cell that was ever created, live or dead. O(cells).
    func forEach(_ visit: (KeyCellPointer) -> Void) {
        var next = latest.load(ordering: .acquiring)
        while let cell = next {
            next = cell.pointee.previous
            visit(cell)
        }
    }
}
