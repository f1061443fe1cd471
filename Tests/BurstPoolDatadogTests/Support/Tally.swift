import Synchronization

/// Counts from any thread. What was done before it was raised has been done for whoever sees it raised.
final class Tally: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .acquiring) }

    func raise() { count.add(1, ordering: .acquiringAndReleasing) }
}
