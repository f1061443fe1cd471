/// Something that was done to a pool's core, or by way of it, between two moments.
struct HistoryEvent: Sendable {
    enum Kind: CaseIterable, Sendable {
        // To a slot.
        case take, takeIdle, release
        case beginOpen, finishOpen, cancelOpen
        case beginClose, beginCloseExcess, finishClose
        // To a waiter.
        case join, handOff, claim, expire
        // To the queue: nobody waits; there is nobody to open for, or no room.
        case findNobody, openForNobody
        // To the pool.
        case resize, shutdown
    }

    var kind: Kind
    /// Nanoseconds, on a clock that all threads share.
    var begin: UInt64
    var end: UInt64
    /// Which slot: the address of its element.
    var slot: UInt = 0
    /// Which ownership of the slot: given to it when the slot was taken.
    var turn: UInt64 = 0
    /// Which wait.
    var ticket: UInt64 = 0
    /// ``Kind/join``: the deadline. ``Kind/expire``: the time it was told. ``Kind/resize``: the soft limit.
    var value: UInt64 = 0
    /// ``Kind/resize``: the hard limit. ``Kind/join``: when the ticket was asked for.
    var other: UInt64 = 0

    init(_ kind: Kind, _ begin: UInt64, _ end: UInt64) {
        self.kind = kind
        self.begin = begin
        self.end = end
    }
}

/// A connection in a caller's hands, for certain, from the moment it had been given to the moment before it went back.
struct Borrowing: Sendable {
    var connection: Int
    var from: UInt64
    var until: UInt64
    /// How often the connection had been used, by its own count, which is not protected.
    var found: Int
    var left: Int
}

/// The life of a connection by the strategy's account.
struct ConnectionLife: Sendable {
    var connection: Int
    /// When it was open, at the latest.
    var opened: UInt64
    /// When the pool began to close it, each time.
    var closings: [UInt64] = []
}

/// What the core told when nothing seemed to be under way.
struct Rest: Sendable {
    var begin: UInt64
    var end: UInt64
    var idle: Int
    var leased: Int
    var opening: Int
    var closing: Int
    var waiting: Int
    var maxSize: Int
    var hardLimit: Int
    var isShutDown = false
}

/// All that happened to one pool.
struct History: Sendable {
    var maxSize: Int
    var hardLimit: Int
    var events: [HistoryEvent] = []
    var borrowings: [Borrowing] = []
    var connections: [ConnectionLife] = []
    var rests: [Rest] = []
}
