import Synchronization

/// How many leases of idle connections there were since the last time that somebody asked.
final class IdleLeaseCount: Sendable {
    private struct State {
        var read: @Sendable () -> Int? = { nil }
        var taken = 0
    }

    private let state = Mutex(State())

    /// Counts those of a pool, in place of another one.
    ///
    /// - Parameter read: How many there have been altogether; `nil`: the pool is gone.
    func start(_ read: @escaping @Sendable () -> Int?) {
        state.withLock { $0 = State(read: read) }
    }

    func takeNew() -> Int {
        state.withLock { state in
            guard let all = state.read() else { return 0 }
            defer { state.taken = all }
            return all - state.taken
        }
    }
}
