import Synchronization

#if !_hasAtomicBitWidth(_128)
    #error("This CPU has no double-width compare-and-exchange, which LockFreeSwiftCore needs (x86-64 or arm64).")
#endif

/// A last-in first-out stack of entries that are never freed while the stack exists. Any number of threads.
///
/// The top is an address and a generation, in two words that are exchanged as one. Taking raises the generation, so that
/// a top which came back meanwhile, with another entry below it, is not mistaken for the one that was read (ABA); putting
/// need not, for it does not rest on what is below. The first word of an entry is its link to the next one.
///
/// The two words are read one by one, generation first, for a double-width load is itself a locked instruction on x86-64.
/// That makes accesses of two sizes meet. They are coherent on both CPUs that this compiles for, and a pair of words that
/// never was the top makes the compare-and-exchange fail: between the two reads others can only have put, or have taken
/// and raised the generation.
///
/// A handle to memory that somebody else owns.
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

    /// Sequentially consistent: in one order with the puts of others, and with what the caller did before.
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
            // Makes the link, and all that was done to the entry, visible: pairs with the load of the address in take().
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
            // Good if the exchange succeeds: the entry was the top then and when its link was read, and as nobody has
            // taken meanwhile it has been there all the time.
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
