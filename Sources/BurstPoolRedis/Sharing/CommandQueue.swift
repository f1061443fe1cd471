// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// The commands that many tasks want to send on one channel, until the event loop sends them.
///
/// The first task that finds the queue empty wakes the event loop. All commands that have come until the event loop runs are sent
/// with a single write. So the busier the connection is, the fewer writes it needs for each command.
final class CommandQueue: Sendable {
    private typealias Entry = (exchange: Exchange, completion: Exchange.Completion)

    private let handler: RedisChannelHandler
    private let waiting = Mutex<[Entry]>([])

    init(_ handler: RedisChannelHandler) {
        self.handler = handler
    }

    /// Sends commands, and waits for their replies.
    ///
    /// - Throws: ``RedisError``; or `CancellationError`. A cancellation affects no other commands.
    func perform(_ exchange: Exchange) async throws -> [RedisReply] {
        try Task.checkCancellation()
        if let error = handler.closedError { throw error }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let resumption = Resumption(continuation, ifDropped: .connectionClosed)
                append((exchange, { resumption($0) }))
            }
        } onCancel: {
            handler.eventLoop.execute { self.handler.abandon(exchange) }
        }
    }

    private func append(_ entry: Entry) {
        let isFirst = waiting.withLock { waiting in
            waiting.append(entry)
            return waiting.count == 1
        }
        if isFirst { handler.eventLoop.execute { self.sendAll() } }
    }

    private func sendAll() {
        let entries = waiting.withLock { waiting in
            let entries = waiting
            waiting = []
            // A busy connection has as many commands at the next time.
            waiting.reserveCapacity(entries.count)
            return entries
        }
        handler.submit(entries)
    }
}
