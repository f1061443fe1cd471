import Synchronization

/// Has one party at a time do something that would go wrong, or be done twice, if several did.
///
/// Nobody waits for anybody: who comes while another one is at it goes, and that one does it once more. So a thread that
/// is stopped in the midst of it keeps it from being done, and nobody from anything else.
struct OneAtATime: ~Copyable, Sendable {
    private let requests = Atomic(0)

    func perform(_ work: () -> Void) {
        // Releasing and acquiring: what the one at it has written is there for the next, and what who goes has written
        // before is there for the one at it.
        guard requests.add(1, ordering: .acquiringAndReleasing).oldValue == 0 else { return }
        var seen: Int
        repeat {
            seen = requests.load(ordering: .acquiring)
            work()
        } while requests.subtract(seen, ordering: .acquiringAndReleasing).newValue > 0
    }
}
