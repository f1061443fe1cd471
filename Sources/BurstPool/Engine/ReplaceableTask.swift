import Synchronization

/// Room for one task, which is cancelled when another one takes its place.
final class ReplaceableTask: Sendable {
    private final class Box: Sendable {
        let task: Task<Void, Never>
        init(_ task: Task<Void, Never>) { self.task = task }
    }

    private let box = Atomic<Unmanaged<Box>?>(nil)

    deinit {
        box.load(ordering: .acquiring)?.release()
    }

    func replace(with new: Task<Void, Never>?) {
        let new = new.map { Unmanaged.passRetained(Box($0)) }
        box.exchange(new, ordering: .acquiringAndReleasing)?.takeRetainedValue().task.cancel()
    }
}
