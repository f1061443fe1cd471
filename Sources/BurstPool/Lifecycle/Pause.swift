import Synchronization

extension _PoolEngine {
    /// Hands out no connections, and opens none, until ``resume()``.
    public func pause() {
        core.pause()
    }

    public func resume() {
        core.resume()
        reconcile()
        refill()
    }

    public var isPaused: Bool { core.isPaused }
}
