// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// The channel that a connection uses at the moment, for the threads that may abort it.
///
/// A connection replaces its channel if the server has closed it just before the first command of a lease.
final class ConnectionLink: Sendable {
    private struct State {
        var handler: RedisChannelHandler
        var isAborted = false
    }

    private let state: Mutex<State>

    init(_ handler: RedisChannelHandler) {
        state = Mutex(State(handler: handler))
    }

    /// Closes the channel without waiting. The connection does not replace it afterwards.
    func abort() {
        let handler = state.withLock { state in
            state.isAborted = true
            return state.handler
        }
        handler.eventLoop.execute { handler.closeByClient() }
    }

    /// Replaces the channel.
    ///
    /// - Returns: `false` if the connection has been aborted. The new channel must be closed then.
    func replace(with handler: RedisChannelHandler) -> Bool {
        state.withLock { state in
            guard !state.isAborted else { return false }
            state.handler = handler
            return true
        }
    }
}
