// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import NIOCore
import NIOPosix

/// A loopback server that sends the bytes that a test asks for, valid or not.
final class FakeServer: Sendable {
    /// Called with the number of the command on its connection, from 0, and the channel to answer on.
    typealias Script = @Sendable (Int, any Channel) -> Void

    private let listener: any Channel

    private init(listener: any Channel) {
        self.listener = listener
    }

    static func start(_ script: @escaping Script) async throws -> FakeServer {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Player(script: script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FakeServer(listener: listener)
    }

    /// Starts a server that accepts connections correctly, and answers the first command on each with `answer`.
    static func answering(_ answer: String) async throws -> FakeServer {
        try await start { number, channel in
            channel.send(number == 0 ? "+PONG\r\n" : answer)
        }
    }

    func stop() async throws {
        try await listener.close()
    }

    var configuration: RedisConfiguration {
        RedisConfiguration(host: "127.0.0.1", port: listener.localAddress?.port ?? 0)
    }

    /// Counts reads as commands: the commands of these tests are short and awaited, so each arrives in one piece.
    private final class Player: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let script: Script
        private var commands = 0

        init(script: @escaping Script) {
            self.script = script
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            script(commands, context.channel)
            commands += 1
        }
    }
}

extension Channel {
    /// Sends a text unchanged.
    func send(_ text: String) {
        writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    /// Sends a text in packets of one byte each.
    func sendByteByByte(_ text: String) {
        for (index, byte) in text.utf8.enumerated() {
            eventLoop.scheduleTask(in: .milliseconds(Int64(index))) {
                self.writeAndFlush(ByteBuffer(bytes: [byte]), promise: nil)
            }
        }
    }
}
