// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization

/// A proxy between clients and a server that disturbs messages as networks do.
final class Proxy: Sendable {
    /// After this time the network forgets a connection over which nothing passes.
    static let memory = TimeAmount.seconds(3)

    let wire: any WireFormat.Type
    private let server: String
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let seed: UInt64
    private let report: Report
    private let state = Mutex(State())

    private struct State: Sendable {
        var links: [Int: Link] = [:]
        var accepted = 0
        var clients = 0
        var servers = 0
        var weather = Weather.calm
        var heldUntil = NIODeadline.uptimeNanoseconds(0)
        var listeners: [any Channel] = []
        /// For ``Sabotage/swapReplies``.
        var strayReply: (link: Int, bytes: ByteBuffer)?
    }

    /// - Parameters:
    ///   - server: The path of its socket.
    ///   - wire: Its protocol.
    init(server: String, wire: any WireFormat.Type, seed: UInt64, report: Report) {
        self.server = server
        self.wire = wire
        self.seed = seed
        self.report = report
    }

    // MARK: - Serving

    /// Listens on a socket in the file system and on a port. Returns both endpoints.
    func listen(path: String) async throws -> [Endpoint] {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelInitializer { client in self.accept(client) }
        let local = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        let loopback = try await bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0).get()
        state.withLock { $0.listeners = [local, loopback] }
        return [.socket(path: path), .port(loopback.localAddress!.port!)]
    }

    func stop() async throws {
        for listener in state.withLock({ $0.listeners }) { try await listener.close() }
        cutAll()
        try await group.shutdownGracefully()
    }

    /// Uses one event loop for both connections, so that only one thread accesses a link.
    private func accept(_ client: any Channel) -> EventLoopFuture<Void> {
        let (number, weather) = state.withLock { state in
            state.accepted += 1
            state.clients += 1
            return (state.accepted, state.weather)
        }
        client.closeFuture.whenComplete { _ in self.state.withLock { $0.clients -= 1 } }
        report.faults.count("connections accepted")
        var random = SeededRandom(seed: seed, stream: "link \(number)")
        if weather.refuse > 0, random.oneIn(weather.refuse) {
            report.faults.count("connections refused")
            return client.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        if weather.ignore > 0, random.oneIn(weather.ignore) {
            report.faults.count("connections ignored")
            client.eventLoop.scheduleTask(in: Self.memory) { client.close(promise: nil) }
            return client.eventLoop.makeSucceededVoidFuture()
        }
        return ClientBootstrap(group: client.eventLoop).channelOption(.autoRead, value: false)
            .connect(unixDomainSocketPath: server)
            .flatMapThrowing { [random] server in
                self.state.withLock { $0.servers += 1 }
                let link = Link(number, client: client, server: server, proxy: self, report: self.report)
                self.state.withLock { $0.links[number] = link }
                server.closeFuture.whenComplete { _ in
                    self.state.withLock { state in
                        state.servers -= 1
                        state.links[number] = nil
                    }
                }
                for (channel, isReply) in [(client, false), (server, true)] {
                    let stream = Stream(link, isReply: isReply, random: random)
                    try channel.pipeline.syncOperations.addHandler(stream)
                }
                server.setOption(.autoRead, value: true).whenFailure { _ in link.close() }
            }
    }

    // MARK: - State and faults

    /// The numbers of open sockets of clients and to the server.
    var open: (clients: Int, servers: Int) { state.withLock { ($0.clients, $0.servers) } }

    var weather: Weather {
        get { state.withLock { $0.weather } }
        set { state.withLock { $0.weather = newValue } }
    }

    /// Lets nothing pass for this time.
    func hold(for time: TimeAmount) {
        state.withLock { $0.heldUntil = .now() + time }
    }

    var heldUntil: NIODeadline { state.withLock { $0.heldUntil } }

    /// Closes all connections. If the end is abrupt, data in transit is lost too.
    @discardableResult
    func cutAll() -> Int {
        let links = state.withLock { Array($0.links.values) }
        for link in links { link.cutUnlessSpared() }
        return links.count
    }

    // MARK: - Sabotage

    /// Sometimes returns the reply that another link should have got.
    func swapped(_ reply: ByteBuffer, on link: Int, using random: inout SeededRandom) -> ByteBuffer {
        guard report.sabotage == .swapReplies, random.oneIn(50) else { return reply }
        return state.withLock { state in
            guard let stray = state.strayReply, stray.link != link else {
                state.strayReply = (link, reply)
                return reply
            }
            state.strayReply = nil
            return stray.bytes
        }
    }
}
