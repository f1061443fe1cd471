import Synchronization

/// Where tasks wait until something has come about, such as that the last connection is gone.
///
/// A list to which each of them adds itself and which is emptied as a whole, so it needs no lock.
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

    func add(_ signal: OneShot) {
        var head = first.load(ordering: .relaxed)
        while true {
            let node = Unmanaged.passRetained(Node(signal, next: head))
            // Pairs with the exchange in fire(), which takes the nodes over. Sequentially consistent: what the caller reads
            // next (is a connection left?) is read after it.
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

    @usableFromInline
    func fire() {
        var next = first.exchange(nil, ordering: .acquiringAndReleasing)
        while let node = next?.takeRetainedValue() {
            node.signal.fire(.done)
            next = node.next
        }
    }
}
