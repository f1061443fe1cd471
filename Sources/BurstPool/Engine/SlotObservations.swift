/// What the maintenance has seen of each slot, from one look to the next.
///
/// That a slot has not changed hands shows in its serial number. So how long a connection has been idle, or out, is known
/// to within the time between two looks, and leasing need not tell the time.
struct SlotObservations {
    struct Observation {
        var serial: UInt64?
        var isIdle = false
        /// When it was first seen like that.
        var since: UInt64 = 0
        var lastValidated: UInt64 = 0
        var isReported = false
    }

    private(set) var all: [Observation] = []
    /// How many connections there were at the most since there last was none that was too old.
    var mostSinceExpiry = 0
    private var indexOfElement: [UnsafeMutableRawPointer: Int] = [:]

    subscript(index: Int) -> Observation {
        get { all[index] }
        set { all[index] = newValue }
    }

    /// Notes that a slot is idle, or leased, and returns since when.
    mutating func note(_ index: Int, serial: UInt64, isIdle: Bool, element: UnsafeMutableRawPointer, now: UInt64)
        -> UInt64
    {
        while all.count <= index { all.append(Observation()) }
        if indexOfElement[element] == nil { indexOfElement[element] = index }
        if all[index].serial != serial || all[index].isIdle != isIdle {
            all[index] = Observation(serial: serial, isIdle: isIdle, since: now)
        }
        return all[index].since
    }

    /// A slot that the maintenance itself has taken: it goes on having been idle since it was.
    mutating func keep(_ index: Int, serial: UInt64) {
        all[index].serial = serial
    }

    /// Whether a lease is the maintenance's own: of a connection that was idle when it took it.
    func isOwn(_ index: Int, serial: UInt64) -> Bool {
        index < all.count && all[index].isIdle && all[index].serial == serial
    }

    func index(ofElement element: UnsafeMutableRawPointer) -> Int? {
        indexOfElement[element]
    }
}
