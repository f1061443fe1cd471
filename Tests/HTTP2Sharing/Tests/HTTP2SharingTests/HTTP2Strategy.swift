// SPDX-License-Identifier: Apache-2.0

import BurstPool
import NIOCore
import NIOHTTP2
import NIOPosix
import Synchronization

/// Opens connections to an HTTP/2 server, whose streams the callers of a pool share.
///
/// A lease is the right to one stream. The limit of leases is what the server says in `SETTINGS_MAX_CONCURRENT_STREAMS`, and 0
/// when the server has sent `GOAWAY`.
final class HTTP2Strategy: SharedConnectionStrategy {
    private struct Count {
        var now = 0
        var most = 0
    }

    private let port: Int
    private let count = Mutex(Count())

    init(port: Int) {
        self.port = port
    }

    /// The most connections that existed at the same time, including those that were opening or closing.
    var mostConnections: Int { count.withLock { $0.most } }

    /// Connects, and waits for the settings of the server, because the limit is not known before.
    func makeConnection() async throws -> HTTP2Connection {
        count.withLock { count in
            count.now += 1
            count.most = max(count.most, count.now)
        }
        do {
            return try await connect()
        } catch {
            count.withLock { $0.now -= 1 }
            throw error
        }
    }

    private func connect() async throws -> HTTP2Connection {
        let (connection, ready) = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
                    // The server of the tests changes its settings more often than a server may that wishes no harm.
                    configuration.controlFrameRateLimit.maximumCount = 100_000
                    let http2 = NIOHTTP2Handler(
                        mode: .client,
                        eventLoop: channel.eventLoop,
                        connectionConfiguration: configuration
                    ) { stream in
                        // The server must not push.
                        stream.close()
                    }
                    try channel.pipeline.syncOperations.addHandler(http2)
                    let connection = HTTP2Connection(channel, try http2.syncMultiplexer())
                    let ready = channel.eventLoop.makePromise(of: Void.self)
                    try channel.pipeline.syncOperations.addHandler(ConnectionFrames(connection, ready))
                    return (connection, ready.futureResult)
                }
            }
        try await ready.get()
        return connection
    }

    func connectionIsClosed(_ connection: HTTP2Connection) -> Bool { !connection.isOpen }

    func closeConnection(_ connection: HTTP2Connection) async throws {
        defer { count.withLock { $0.now -= 1 } }
        try await connection.close()
    }

    func leaseLimit(of connection: HTTP2Connection) -> Int { connection.streamLimit }

    func notifyWhenLeaseLimitChanges(
        _ connection: HTTP2Connection,
        _ leaseLimitDidChange: @escaping @Sendable () -> Void
    ) {
        connection.whenStreamLimitChanges(leaseLimitDidChange)
    }

    func notifyWhenClosed(_ connection: HTTP2Connection, _ connectionDidClose: @escaping @Sendable () -> Void) {
        connection.whenClosed(connectionDidClose)
    }

    func abortHandle(for connection: HTTP2Connection) -> (@Sendable () -> Void)? {
        { connection.abort() }
    }

    func connectionVerdict(after error: any Error) -> ConnectionVerdict {
        // The server takes no more requests on this connection.
        error is RequestNotProcessed ? .discard : .keep
    }
}
