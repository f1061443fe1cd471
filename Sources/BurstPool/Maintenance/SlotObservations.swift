// SPDX-License-Identifier: Apache-2.0

/// What maintenance has seen of every slot, from one look to the next.
///
/// The serial number of a slot changes with every lease. So maintenance finds out how long a connection has been idle or in
/// use, although the fast path reads no clock.
struct SlotObservations {
    struct Observation {
        var serial: UInt64?
        var isIdle = false
        /// When the connection was first seen in this state.
        var since: UInt64 = 0
        var lastValidated: UInt64 = 0
        var isReported = false
    }

    private(set) var all: [Observation] = []
    /// The greatest number of connections that a look has found since the last look that found no expired one.
    var mostSinceExpiry = 0
    private var indexOfElement: [UnsafeMutableRawPointer: Int] = [:]

    subscript(index: Int) -> Observation {
        get { all[index] }
        set { all[index] = newValue }
    }

    /// Notes that a slot is idle or in use. Returns since when: the moment that an earlier look has noted for the same state
    /// and serial number, or else `changedAt`.
    mutating func note(
        _ index: Int,
        serial: UInt64,
        isIdle: Bool,
        element: UnsafeMutableRawPointer,
        changedAt: UInt64
    ) -> UInt64 {
        while all.count <= index { all.append(Observation()) }
        if indexOfElement[element] == nil { indexOfElement[element] = index }
        if all[index].serial != serial || all[index].isIdle != isIdle {
            all[index] = Observation(serial: serial, isIdle: isIdle, since: changedAt)
        }
        return all[index].since
    }

    /// Notes the serial number of a slot that a sweep has taken. If nobody has used the connection since it was observed, it still
    /// counts as idle since the same moment. Otherwise it counts as idle since now.
    ///
    /// - Returns: Whether nobody has used the connection. If somebody has, what was planned for it no longer applies.
    mutating func noteSwept(_ index: Int, serial: UInt64, now: () -> UInt64) -> Bool {
        guard all[index].isIdle, all[index].serial == serial &- 1 else {
            all[index] = Observation(serial: serial, isIdle: true, since: now())
            return false
        }
        all[index].serial = serial
        return true
    }

    /// Whether maintenance itself holds the lease of a slot, which it has taken while the connection was idle.
    func isOwn(_ index: Int, serial: UInt64) -> Bool {
        index < all.count && all[index].isIdle && all[index].serial == serial
    }

    func index(ofElement element: UnsafeMutableRawPointer) -> Int? {
        indexOfElement[element]
    }
}
