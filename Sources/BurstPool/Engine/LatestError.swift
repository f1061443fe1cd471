import Synchronization

/// The latest error, without a lock: whoever reads it takes it out, copies it, and puts it back.
///
/// A reader that comes while another one has it in hand finds none. That is rare (errors are read when callers time out,
/// once for all of them), and better than making one thread wait for another.
final class LatestError: Sendable {
    private final class Box: Sendable {
        let error: (any Error)?
        init(_ error: (any Error)?) { self.error = error }
    }

    /// `nil` while it is in a reader's hand. That there is no error is a box too: a reader must not put back over it what it
    /// had taken before.
    private let box = Atomic<Unmanaged<Box>?>(nil)

    deinit {
        box.load(ordering: .acquiring)?.release()
    }

    func store(_ error: (any Error)?) {
        let new = Unmanaged.passRetained(Box(error))
        // Acquiring and releasing: pairs with itself and with the two in load(), of which each takes over the box.
        box.exchange(new, ordering: .acquiringAndReleasing)?.release()
    }

    func load() -> (any Error)? {
        guard let taken = box.exchange(nil, ordering: .acquiringAndReleasing) else { return nil }
        let error = taken.takeUnretainedValue().error
        if !box.compareExchange(expected: nil, desired: taken, ordering: .acquiringAndReleasing).exchanged {
            taken.release()  // There is a later one by now.
        }
        return error
    }
}
