import Synchronization

/// A node of the waiter queue. Its memory is type-stable, so that a stale address still leads to a node.
///
/// What becomes of a waiter is decided by one compare-and-exchange on its state: whoever moves it to served or gone owns
/// the right, and the duty, to resume it. All else (marking, taking out, reuse) is housekeeping that any thread may do.
///
///     free     -> prepared   prepare        waiting -> opening           beginOpening
///     prepared -> waiting    join           opening -> waiting           requeue
///     prepared -> cancelled  leave          waiting, opening -> served   serveOldest
///     prepared -> free       withdraw       waiting, opening -> gone     leave, expire
///     cancelled -> free      join, withdraw
///     served, gone -> prepared   prepare, once the node has been taken out of the list
struct Waiter: ~Copyable {
    /// In the stack of free nodes. First, as ``TreiberStack`` wants it.
    let next: Atomic<UInt>
    /// A ``WaiterLink``.
    let link: Atomic<UInt64>
    /// A ``WaiterState``.
    let state: Atomic<UInt64>
    let context: Atomic<UInt>
    let deadline: Atomic<UInt64>
    /// Its place in the table, written once.
    var index: Int

    /// A cache line, so that two waiters do not share one.
    static var stride: Int { 64 }
}

enum WaiterStatus: UInt64 {
    case free
    case prepared
    /// For a connection or a permit.
    case waiting
    /// A connection is being opened on its behalf; one that is returned will do as well.
    case opening
    case served
    case gone
    /// Before it joined.
    case cancelled
}

/// Statuses to look for.
struct WaiterStatuses: OptionSet {
    let rawValue: UInt64
    static let waiting = WaiterStatuses(rawValue: 1 << WaiterStatus.waiting.rawValue)
    static let opening = WaiterStatuses(rawValue: 1 << WaiterStatus.opening.rawValue)
    static let inQueue: WaiterStatuses = [.waiting, .opening]

    func contains(_ status: WaiterStatus) -> Bool { rawValue >> status.rawValue & 1 != 0 }
}

/// A status, and the generation of the node, which its tickets have too.
struct WaiterState {
    let bits: UInt64

    private static var statusBits: UInt64 { 3 }

    init(bits: UInt64) {
        self.bits = bits
    }

    init(generation: UInt64, _ status: WaiterStatus) {
        bits = generation << Self.statusBits | status.rawValue
    }

    var status: WaiterStatus { WaiterStatus(rawValue: bits & (1 << Self.statusBits - 1)).unsafelyUnwrapped }
    var generation: UInt64 { bits >> Self.statusBits }

    func with(_ status: WaiterStatus) -> WaiterState {
        WaiterState(generation: generation, status)
    }

    /// The first state of the node's next life.
    var reborn: WaiterState {
        WaiterState(generation: (generation + 1) & LockFreeSwiftTicket.generationMask, .prepared)
    }
}

/// Index of the next node (0: none), mark, tag.
///
/// The mark says that the node is dead: nothing may be appended to it or taken out behind it. The tag is raised at each
/// change, so that a link seen before a node was reused cannot be mistaken for the present one.
struct WaiterLink: Equatable {
    let bits: UInt64

    private static var mark: UInt64 { 1 << LockFreeSwiftTicket.indexBits }
    private static var tagOne: UInt64 { mark << 1 }

    var index: Int { Int(bits & (Self.mark - 1)) }
    var isMarked: Bool { bits & Self.mark != 0 }

    /// The link that follows this one: another target, the tag raised.
    func leading(to index: Int) -> WaiterLink {
        WaiterLink(bits: (bits & ~(Self.tagOne - 1)) &+ Self.tagOne | UInt64(index))
    }

    /// The same target, marked, the tag raised.
    var marked: WaiterLink { WaiterLink(bits: (bits &+ Self.tagOne) | Self.mark) }
}

/// One wait of one caller. Never used twice.
@frozen
public struct LockFreeSwiftTicket: Sendable {
    let bits: UInt64

    static var indexBits: UInt64 { 26 }
    static var generationMask: UInt64 { 1 << (64 - indexBits) - 1 }

    init(index: Int, generation: UInt64) {
        bits = generation << Self.indexBits | UInt64(index)
    }

    var index: Int { Int(bits & (1 << Self.indexBits - 1)) }
    var generation: UInt64 { bits >> Self.indexBits }
}
