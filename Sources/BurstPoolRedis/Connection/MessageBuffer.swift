// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// A bounded queue of messages between an event loop and the tasks that iterate over a subscription.
///
/// When the buffer is full, the oldest message is dropped and counted. The event loop never waits.
final class MessageBuffer: Sendable {
    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<RedisMessage, any Error>
    }

    private struct State {
        var messages = CircularBuffer<RedisMessage>()
        var waiters: [Waiter] = []
        var end: (any Error)?
        var dropped = 0
        var lastID: UInt64 = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
    }

    /// The number of messages that were dropped because the buffer was full.
    var dropped: Int { state.withLock { $0.dropped } }

    /// Gives a message to the oldest waiting task, or stores it.
    func append(_ message: RedisMessage) {
        let waiter = state.withLock { state -> Waiter? in
            guard state.end == nil else { return nil }
            if !state.waiters.isEmpty { return state.waiters.removeFirst() }
            if state.messages.count == limit {
                state.messages.removeFirst()
                state.dropped += 1
            }
            state.messages.append(message)
            return nil
        }
        waiter?.continuation.resume(returning: message)
    }

    /// Ends the queue. The stored messages can still be read; after them, every read throws `error`.
    func finish(_ error: any Error) {
        let waiters = state.withLock { state in
            guard state.end == nil else { return [] as [Waiter] }
            state.end = error
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(throwing: error) }
    }

    /// Waits for the next message.
    ///
    /// - Throws: The error of ``finish(_:)``, or `CancellationError`.
    func next() async throws -> RedisMessage {
        try Task.checkCancellation()
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<RedisMessage, any Error>? in
                    if let message = state.messages.popFirst() { return .success(message) }
                    if let end = state.end { return .failure(end) }
                    // The cancellation handler may have run already, and found no waiter.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters.append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}
