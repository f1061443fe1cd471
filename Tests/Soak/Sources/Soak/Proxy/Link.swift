import NIOCore
import NIOPosix

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One client's connection and the one to the server that belongs to it. When either ends, so does the other.
///
/// Touched on its event loop only, which both connections share, but for ``cut()``.
final class Link: @unchecked Sendable {
    let number: Int
    let client: any Channel
    let server: any Channel
    let proxy: Proxy
    let report: Report

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

    /// Closes both, from any thread, and with a reset where there is such a thing.
    func cut() {
        guard let socket = client as? any SocketOptionProvider else { return close() }
        socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in self.close() }
    }
}
