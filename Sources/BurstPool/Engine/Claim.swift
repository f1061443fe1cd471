import Synchronization

/// Something that only one party can have, the first to take it.
final class Claim: Sendable {
    private let isTaken = Atomic(false)

    func take() -> Bool {
        !isTaken.exchange(true, ordering: .acquiringAndReleasing)
    }
}
