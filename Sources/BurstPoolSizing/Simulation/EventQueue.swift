// SPDX-License-Identifier: Apache-2.0

/// What will happen to a connection of a simulated pool.
enum SimulatedEvent: Sendable {
    /// A caller releases it.
    case release
    /// It has opened, on behalf of the waiter with this number.
    case opened(waiter: Int)
}

/// Events in the order of their moments: a binary heap. Events of the same moment come in the order in which they were added,
/// so that each run is the same.
struct EventQueue: Sendable {
    private struct Entry {
        var moment: Double
        var number: Int
        var event: SimulatedEvent

        func isBefore(_ other: Entry) -> Bool {
            moment < other.moment || (moment == other.moment && number < other.number)
        }
    }

    private var heap: [Entry] = []
    private var added = 0

    /// The moment of the next event; infinite if there is none.
    var nextMoment: Double { heap.first?.moment ?? .infinity }

    mutating func add(_ event: SimulatedEvent, at moment: Double) {
        let entry = Entry(moment: moment, number: added, event: event)
        added += 1
        heap.append(entry)
        var index = heap.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.isBefore(heap[parent]) else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = entry
    }

    mutating func removeNext() -> SimulatedEvent? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first.event }
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(last) else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = last
        return first.event
    }
}
