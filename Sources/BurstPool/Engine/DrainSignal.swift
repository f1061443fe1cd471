import Synchronization

/// Where calls of `shutdown` wait until the last connection is gone.
///
/// A list to which each call adds itself and which is emptied as a whole, so it needs no lock.
@usableFromInline
final class DrainSignal: Sendable {
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
            node.signal.fire()
            next = node.next
        }
    }
}

/// Lets one task wait until it is fired, once. Firing again, or before the wait, is fine.
final class OneShot: Sendable {
    /// 0, ``fired``, or the continuation of the task that waits.
    private let state = Atomic<UInt>(0)
    private static let fired: UInt = 1

    func fire() {
        let before = state.exchange(Self.fired, ordering: .acquiringAndReleasing)
        guard before != 0, before != Self.fired else { return }
        unsafeBitCast(before, to: UnsafeContinuation<Void, Never>.self).resume()
    }

    func wait() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let bits = unsafeBitCast(continuation, to: UInt.self)
            let (waits, _) = state.compareExchange(expected: 0, desired: bits, ordering: .acquiringAndReleasing)
            if !waits { continuation.resume() }
        }
    }
}
