// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if !_hasAtomicBitWidth(_128)
    #error("This CPU has no double-width compare-and-exchange, which LockFreeSwiftCore needs (x86-64 or arm64).")
#endif

/// A last-in first-out stack of entries that are not freed while the stack exists. Any number of threads may use it.
///
/// The top is an address and a generation, in two words that are exchanged together. Taking raises the generation, so
/// that a top that came back meanwhile, with another entry below it, is not mistaken for the one that was read (ABA).
/// Putting need not raise it, because it does not depend on the entry below. The first word of an entry is its link to
/// the next one.
///
/// The two words are read one after the other, the generation first, because a double-width load is a locked
/// instruction on x86-64. That mixes accesses of two sizes, which are coherent on both CPUs for which this compiles. A
/// pair of words that never was the top makes the compare-and-exchange fail: between the two reads, other threads can
/// only have put, or have taken and raised the generation.
///
/// This value is a handle to memory that its owner must free.
///
/// - R. K. Treiber, Systems Programming: Coping with Parallelism, IBM RJ 5118, 1986.
@usableFromInline
struct TreiberStack {
    static var byteCount: Int { MemoryLayout<Atomic<WordPair>>.size }
    static var alignment: Int { MemoryLayout<Atomic<WordPair>>.alignment }

    private let top: UnsafeMutablePointer<Atomic<WordPair>>
    private let halves: UnsafeMutablePointer<Atomic<UInt>>

    /// - Parameter memory: ``byteCount`` bytes, aligned, and zero when the stack is empty.
    init(at memory: UnsafeMutableRawPointer) {
        top = memory.assumingMemoryBound(to: Atomic<WordPair>.self)
        halves = memory.assumingMemoryBound(to: Atomic<UInt>.self)
    }

    /// Sequentially consistent: in one order with the puts of other threads, and with what the caller did before.
    private var address: UInt { halves[0].load(ordering: .sequentiallyConsistent) }
    private var generation: UInt { halves[1].load(ordering: .sequentiallyConsistent) }

    private static func link(of entry: UInt) -> UnsafeMutablePointer<Atomic<UInt>> {
        UnsafeMutablePointer(bitPattern: entry).unsafelyUnwrapped
    }

    func put(_ entry: UnsafeMutableRawPointer) {
        let new = UInt(bitPattern: entry)
        let generation = generation
        var before = WordPair(first: address, second: generation)
        while true {
            Self.link(of: new).pointee.store(before.first, ordering: .relaxed)
            // Makes the link, and all earlier writes to the entry, visible. Pairs with the load of the address in
            // take().
            let (exchanged, found) = top.pointee.compareExchange(
                expected: before,
                desired: WordPair(first: new, second: before.second),
                ordering: .sequentiallyConsistent
            )
            if exchanged { return }
            before = found
        }
    }

    func take() -> UnsafeMutableRawPointer? {
        guard address != 0 else { return nil }
        let generation = generation
        var before = WordPair(first: address, second: generation)
        while before.first != 0 {
            // Correct if the exchange succeeds: the entry was the top then, and when its link was read. Since no
            // thread has taken meanwhile, it was the top all the time.
            let next = Self.link(of: before.first).pointee.load(ordering: .relaxed)
            let (exchanged, found) = top.pointee.compareExchange(
                expected: before,
                desired: WordPair(first: next, second: before.second &+ 1),
                ordering: .sequentiallyConsistent
            )
            if exchanged { return UnsafeMutableRawPointer(bitPattern: before.first) }
            before = found
        }
        return nil
    }
}
