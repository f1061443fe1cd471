// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The connection of one client, and the connection to the server that belongs to it. When one ends, the other is
/// closed.
///
/// All methods except ``cut()`` and ``cutUnlessSpared()`` must run on the event loop that both connections share.
final class Link: @unchecked Sendable {
    let number: Int
    let client: any Channel
    let server: any Channel
    let proxy: Proxy
    let report: Report
    /// Whether faults that strike all connections at once leave this one out. See ``WireFormat/mustNotBeLate(_:)``.
    var isSpared = false

    init(_ number: Int, client: any Channel, server: any Channel, proxy: Proxy, report: Report) {
        self.number = number
        self.client = client
        self.server = server
        self.proxy = proxy
        self.report = report
    }

    func close() {
        client.close(promise: nil)
        server.close(promise: nil)
    }

    /// Closes both connections later. A network forgets connections over which nothing passes, and not all calls of clients
    /// have a time limit.
    func closeLater() {
        _ = client.eventLoop.assumeIsolated().scheduleTask(in: Proxy.memory) { self.close() }
    }

    /// Does what ``cut()`` does, from any thread, unless the link is spared.
    func cutUnlessSpared() {
        client.eventLoop.execute { if !self.isSpared { self.cut() } }
    }

    /// Closes both connections from any thread, with a TCP reset where that exists.
    func cut() {
        guard let socket = client as? any SocketOptionProvider else { return close() }
        socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in self.close() }
    }
}
