// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Suspends tasks until the test lets them pass. Cancellation does not let them pass.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var permits = 0
        var held: [UnsafeContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// The number of suspended tasks.
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

    /// Lets one task pass: the one that has waited longest, or the next one to arrive.
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

    /// Lets all tasks pass from now on.
    func open() {
        let all = state.withLock { state in
            state.isOpen = true
            defer { state.held = [] }
            return state.held
        }
        for continuation in all { continuation.resume() }
    }
}
