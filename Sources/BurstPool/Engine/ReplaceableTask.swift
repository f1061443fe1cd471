import Synchronization

/// Room for one task, which is cancelled when another one takes its place.
final class ReplaceableTask: Sendable {
    private let current = Atomic<Unmanaged<Canceller>?>(nil)

    deinit {
        current.load(ordering: .acquiring)?.release()
    }

    /// Starts a task, once it is in its place: it may itself replace what is there, also before this returns.
    func replace(with operation: @escaping @concurrent @Sendable () async -> Void) {
        let canceller = Canceller()
        put(Unmanaged.passRetained(canceller))
        canceller.watch(Task.detached(operation: operation))
    }

    func cancel() {
        put(nil)
    }

    private func put(_ new: Unmanaged<Canceller>?) {
        current.exchange(new, ordering: .acquiringAndReleasing)?.takeRetainedValue().cancel()
    }
}
