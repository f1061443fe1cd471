// SPDX-License-Identifier: Apache-2.0

/// A call of the core, or of code that the core calls, between two moments.
struct HistoryEvent: Sendable {
    enum Kind: CaseIterable, Sendable {
        // Calls on a slot.
        case take, takeIdle, release
        case beginOpen, finishOpen, cancelOpen
        case beginClose, beginCloseExcess, beginCloseAboveHardLimit, finishClose
        // Calls on a waiter.
        case join, handOff, claim, expire
        // Calls on the queue: no caller waits; there is no waiter to open for, or no free slot.
        case findNoWaiter, openForNoWaiter
        // Calls on the pool.
        case resize, shutdown
    }

    var kind: Kind
    /// In nanoseconds, on a clock that all threads share.
    var begin: UInt64
    var end: UInt64
    /// The slot, as the address of its element.
    var slot: UInt = 0
    /// The ownership of the slot, numbered when the slot is taken.
    var ownership: UInt64 = 0
    /// The wait.
    var ticket: UInt64 = 0
    /// ``Kind/join``: the deadline. ``Kind/expire``: the current time that it was given. ``Kind/resize``: the soft
    /// limit.
    var value: UInt64 = 0
    /// ``Kind/resize``: the hard limit. ``Kind/join``: when the ticket was requested.
    var other: UInt64 = 0

    init(_ kind: Kind, _ begin: UInt64, _ end: UInt64) {
        self.kind = kind
        self.begin = begin
        self.end = end
    }
}

/// A caller's use of a connection, from the moment after it got it until the moment before it released it.
struct ConnectionUse: Sendable {
    var connection: Int
    var from: UInt64
    var until: UInt64
    /// The connection's own count of its uses, which is not protected.
    var found: Int
    var left: Int
}

/// The life of a connection as the strategy recorded it.
struct ConnectionLife: Sendable {
    var connection: Int
    /// The latest moment at which the connection was open.
    var opened: UInt64
    /// Each moment at which the pool began to close the connection.
    var closings: [UInt64] = []
}

/// What the core reported when no operation seemed to be running.
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

/// Everything that happened to one pool.
struct History: Sendable {
    var maxSize: Int
    var hardLimit: Int
    var events: [HistoryEvent] = []
    var connectionUses: [ConnectionUse] = []
    var connections: [ConnectionLife] = []
    var rests: [Rest] = []
}
