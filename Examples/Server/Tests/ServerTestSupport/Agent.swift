// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization

/// A stand-in for Datadog's agent that keeps the received messages.
public final class Agent: Sendable {
    public let port: Int
    private let messages: Messages

    /// The received messages, one per line.
    public var text: String { messages.text.withLock { $0 } }

    public static func with<Result: Sendable>(_ body: (Agent) async throws -> Result) async throws -> Result {
        let messages = Messages()
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(messages) }
            .bind(host: "127.0.0.1", port: 0).get()
        let agent = Agent(port: channel.localAddress?.port ?? 0, messages: messages)
        do {
            let result = try await body(agent)
            try await channel.close()
            return result
        } catch {
            try? await channel.close()
            throw error
        }
    }

    private init(port: Int, messages: Messages) {
        self.port = port
        self.messages = messages
    }

    private final class Messages: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        let text = Mutex("")

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let datagram = String(buffer: unwrapInboundIn(data).data)
            text.withLock { $0 += datagram + "\n" }
        }
    }
}
