// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy on loopback whose target can be switched. Connections that are open keep their target, as they do when a
/// DNS name or a load balancer points elsewhere.
final class SwitchingProxy: Sendable {
    private let listener: any Channel
    private let target: Target

    private final class Target: Sendable {
        let port: Mutex<Int>
        init(_ port: Int) { self.port = Mutex(port) }
    }

    private init(listener: any Channel, target: Target) {
        self.listener = listener
        self.target = target
    }

    var port: Int { listener.localAddress?.port ?? 0 }

    static func start(target port: Int) async throws -> SwitchingProxy {
        let target = Target(port)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { inbound in
                // Both ends live on one event loop, so they may refer to each other.
                ClientBootstrap(group: inbound.eventLoop)
                    .connect(host: "127.0.0.1", port: target.port.withLock { $0 })
                    .flatMapThrowing { outbound in
                        try inbound.pipeline.syncOperations.addHandler(Forwarder(to: outbound))
                        try outbound.pipeline.syncOperations.addHandler(Forwarder(to: inbound))
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return SwitchingProxy(listener: listener, target: target)
    }

    /// Connects new connections to another port.
    func switchTarget(to port: Int) {
        target.port.withLock { $0 = port }
    }

    func stop() async throws {
        try await listener.close()
    }

    private final class Forwarder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel

        init(to other: any Channel) {
            self.other = other
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            other.writeAndFlush(unwrapInboundIn(data), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            other.close(promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
