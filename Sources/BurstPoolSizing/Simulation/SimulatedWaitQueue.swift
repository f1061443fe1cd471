// SPDX-License-Identifier: Apache-2.0

/// The waiters of a simulated pool, first come first served.
struct SimulatedWaitQueue: Sendable {
    private enum State {
        case waiting
        /// A connection is being opened for this waiter. It gets that one, or one that is released, whichever comes first.
        case opening
        case gone
    }

    private struct Entry {
        var caller: Caller
        var isMeasured: Bool
        var state: State
    }

    private var entries: [Entry] = []
    /// The number of the first entry.
    private var firstNumber = 0
    private var oldestIndex = 0
    /// Connections are opened in the order of the queue, so no entry before this one waits without a connection being opened.
    private var nextIndexToOpen = 0

    /// The number of waiters.
    private(set) var count = 0
    /// The number of waiters for whom no connection is being opened.
    private(set) var queued = 0

    /// When the oldest waiter came.
    var oldestMoment: Double? { count > 0 ? entries[oldestIndex].caller.moment : nil }

    mutating func join(_ caller: Caller, isMeasured: Bool) {
        entries.append(Entry(caller: caller, isMeasured: isMeasured, state: .waiting))
        count += 1
        queued += 1
    }

    /// Removes the oldest waiter.
    mutating func removeOldest() -> (caller: Caller, isMeasured: Bool)? {
        count > 0 ? remove(oldestIndex) : nil
    }

    /// Removes the waiter with this number, if it still waits.
    mutating func remove(number: Int) -> (caller: Caller, isMeasured: Bool)? {
        let index = number - firstNumber
        guard index >= oldestIndex, index < entries.count, entries[index].state != .gone else { return nil }
        return remove(index)
    }

    private mutating func remove(_ index: Int) -> (caller: Caller, isMeasured: Bool) {
        let entry = entries[index]
        if entry.state == .waiting { queued -= 1 }
        entries[index].state = .gone
        count -= 1
        while oldestIndex < entries.count, entries[oldestIndex].state == .gone { oldestIndex += 1 }
        nextIndexToOpen = max(nextIndexToOpen, oldestIndex)
        dropEntriesThatHaveGone()
        return (entry.caller, entry.isMeasured)
    }

    private mutating func dropEntriesThatHaveGone() {
        guard oldestIndex == entries.count || oldestIndex > 1024 && oldestIndex > entries.count / 2 else { return }
        entries.removeFirst(oldestIndex)
        firstNumber += oldestIndex
        nextIndexToOpen -= oldestIndex
        oldestIndex = 0
    }

    /// Returns the number of the oldest waiter for whom no connection is being opened. From now on, one is.
    mutating func beginOpening() -> Int? {
        guard queued > 0 else { return nil }
        while entries[nextIndexToOpen].state != .waiting { nextIndexToOpen += 1 }
        entries[nextIndexToOpen].state = .opening
        queued -= 1
        return firstNumber + nextIndexToOpen
    }
}
