import Synchronization

/// Holds tasks up until the test lets them pass. Cancellation does not open it.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var permits = 0
        var held: [UnsafeContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// How many tasks stand before the gate.
    var held: Int { state.withLock { $0.held.count } }

    func pass() async {
        await withUnsafeContinuation { continuation in
            let passes = state.withLock { state in
                if state.isOpen { return true }
                if state.permits > 0 {
                    state.permits -= 1
                    return true
                }
                state.held.append(continuation)
                return false
            }
            if passes { continuation.resume() }
        }
    }

    /// Lets one task pass: the one that has stood there longest, or the next to come.
    func letOnePass() {
        let first = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            if state.held.isEmpty {
                state.permits += 1
                return nil
            }
            return state.held.removeFirst()
        }
        first?.resume()
    }

    /// Lets everybody pass, from now on.
    func open() {
        let all = state.withLock { state in
            state.isOpen = true
            defer { state.held = [] }
            return state.held
        }
        for continuation in all { continuation.resume() }
    }
}
