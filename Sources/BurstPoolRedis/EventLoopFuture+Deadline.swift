import NIOCore
import Synchronization

extension EventLoopFuture where Value == Void {
    /// Waits for the future, however it ends, but not longer than `limit`, even if its event loop does not run any more.
    ///
    /// The cancellation of the task does not end the wait.
    ///
    /// - Returns: Whether the future completed in time.
    func completes(within limit: Duration) async -> Bool {
        await withCheckedContinuation { continuation in
            let once = Once()
            let timer = Task {
                try? await Task.sleep(for: limit)
                if once.take() { continuation.resume(returning: false) }
            }
            whenComplete { _ in
                if once.take() { continuation.resume(returning: true) }
                timer.cancel()
            }
        }
    }
}

/// Tells the first of several from the others.
private final class Once: Sendable {
    private let isTaken = Atomic<Bool>(false)

    /// Whether this is the first call.
    func take() -> Bool { !isTaken.exchange(true, ordering: .relaxed) }
}
