// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// An event that any number of tasks can wait for, such as that the last connection is closed.
///
/// A lock-free list to which every waiting task adds its signal. ``fire()`` empties the list as a whole.
@usableFromInline
final class Broadcast: Sendable {
    private final class Node: Sendable {
        let signal: OneShot
        let next: Unmanaged<Node>?
        init(_ signal: OneShot, next: Unmanaged<Node>?) {
            self.signal = signal
            self.next = next
        }
    }

    private let first = Atomic<Unmanaged<Node>?>(nil)

    deinit {
        fire()
    }

    /// Adds a signal, which the next ``fire()`` fires.
    func add(_ signal: OneShot) {
        var head = first.load(ordering: .relaxed)
        while true {
            let node = Unmanaged.passRetained(Node(signal, next: head))
            // Pairs with the exchange in fire(), which takes the nodes. Sequentially consistent: the caller looks next
            // whether the event has happened already, and that load must not move before this operation.
            let (exchanged, found) = first.compareExchange(
                expected: head,
                desired: node,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return }
            node.release()
            head = found
        }
    }

    /// Fires all signals that were added, and empties the list.
    @usableFromInline
    func fire() {
        // Sequentially consistent: pairs with add(_:). The caller has made the event true before this exchange.
        var next = first.exchange(nil, ordering: .sequentiallyConsistent)
        while let node = next?.takeRetainedValue() {
            node.signal.fire(.done)
            next = node.next
        }
    }
}
