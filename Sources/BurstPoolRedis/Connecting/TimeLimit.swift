// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

extension EventLoopFuture where Value == Void {
    /// Waits for the future, successful or not, for at most `limit`, even if its event loop no longer runs.
    ///
    /// The wait continues if the task is cancelled.
    ///
    /// - Returns: Whether the future completed in time.
    func completes(within limit: Duration) async -> Bool {
        await withCheckedContinuation { continuation in
            let first = First()
            let timer = Task {
                try? await Task.sleep(for: limit)
                if first.claim() { continuation.resume(returning: false) }
            }
            whenComplete { _ in
                if first.claim() { continuation.resume(returning: true) }
                timer.cancel()
            }
        }
    }
}

/// Runs an operation with a time limit that holds even if the operation ignores its cancellation.
///
/// The operation is cancelled when the limit has passed or the calling task is cancelled, and is no longer waited for.
///
/// - Throws: The error of the operation, `timeoutError`, or `CancellationError`.
func withTimeLimit<Value: Sendable>(
    _ limit: Duration,
    timeoutError: @escaping @Sendable () -> RedisError,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let first = First()
    let cancelled = Latch()
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let work = Task {
                let result: Result<Value, any Error>
                do { result = .success(try await operation()) } catch { result = .failure(error) }
                if first.claim() { continuation.resume(with: result) }
                cancelled.open()
            }
            let timer = Task {
                try? await Task.sleep(for: limit)
                if first.claim() {
                    work.cancel()
                    continuation.resume(throwing: timeoutError())
                }
            }
            cancelled.whenOpen {
                timer.cancel()
                work.cancel()
                if first.claim() { continuation.resume(throwing: CancellationError()) }
            }
        }
    } onCancel: {
        cancelled.open()
    }
}

/// Tells the first of several parties from the others.
private final class First: Sendable {
    private let isClaimed = Atomic<Bool>(false)

    /// Returns whether this is the first call.
    func claim() -> Bool { !isClaimed.exchange(true, ordering: .relaxed) }
}

/// Runs one action as soon as the latch is open, whichever comes first.
private final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var action: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func open() {
        let action = state.withLock { state in
            state.isOpen = true
            defer { state.action = nil }
            return state.action
        }
        action?()
    }

    func whenOpen(_ action: @escaping @Sendable () -> Void) {
        let isOpen = state.withLock { state in
            if !state.isOpen { state.action = action }
            return state.isOpen
        }
        if isOpen { action() }
    }
}
