// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import Synchronization

/// An HTTP/2 server on a free local port, which answers each request with its path.
final class HTTP2Server: Sendable {
    private struct State {
        var port = 0
        /// The limit of streams that the next connection is told first.
        var limit: Int
        /// Whether requests are answered only by ``answer(_:)``.
        let holds: Bool
        /// The requests that are not answered, the oldest first.
        var held: [RequestAtServer] = []
        /// How often each path was answered.
        var answers: [String: Int] = [:]
        var connections: [ConnectionAtServer] = []
        var openConnections = 0
    }

    private let state: Mutex<State>

    private init(limit: Int, holds: Bool) {
        state = Mutex(State(limit: limit, holds: holds))
    }

    /// Runs a body with a server, and stops the server.
    ///
    /// - Parameters:
    ///   - limit: The limit of streams that a new connection is told first.
    ///   - holds: Whether requests are answered only by ``answer(_:)``. Otherwise each is answered after up to 2 milliseconds.
    static func with<Result: Sendable>(
        limit: Int,
        holds: Bool = false,
        _ body: (HTTP2Server) async throws -> Result
    ) async throws -> Result {
        let server = HTTP2Server(limit: limit, holds: holds)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try server.accept(channel) }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        server.state.withLock { $0.port = listener.localAddress?.port ?? 0 }
        let result: Result
        do {
            result = try await body(server)
        } catch {
            try await listener.close()
            throw error
        }
        try await listener.close()
        return result
    }

    var port: Int { state.withLock { $0.port } }

    /// All connections that were ever accepted.
    var connections: [ConnectionAtServer] { state.withLock { $0.connections } }

    var openConnections: Int { state.withLock { $0.openConnections } }

    /// How often each path was answered.
    var answers: [String: Int] { state.withLock { $0.answers } }

    /// The number of requests that were received and not answered.
    var held: Int { state.withLock { $0.held.count } }

    /// Answers the oldest requests that are held.
    func answer(_ count: Int) {
        let requests = state.withLock { state in
            let requests = state.held.prefix(count)
            state.held.removeFirst(requests.count)
            return requests
        }
        for request in requests { request.answer() }
    }

    // MARK: Connections and requests

    private func accept(_ channel: any Channel) throws {
        let connection = ConnectionAtServer(channel)
        let limit = state.withLock { state in
            state.connections.append(connection)
            state.openConnections += 1
            return state.limit
        }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.openConnections -= 1 } }
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [HTTP2Setting(parameter: .maxConcurrentStreams, value: limit)]
        configuration.controlFrameRateLimit.maximumCount = 100_000
        let http2 = NIOHTTP2Handler(
            mode: .server,
            eventLoop: channel.eventLoop,
            connectionConfiguration: configuration
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandlers(
                    HTTP2FramePayloadToHTTP1ServerCodec(),
                    StreamAtServer(self, connection)
                )
            }
        }
        try channel.pipeline.syncOperations.addHandler(http2)
    }

    fileprivate func receive(_ request: RequestAtServer) {
        let holds = state.withLock { state in
            if state.holds { state.held.append(request) }
            return state.holds
        }
        if holds { return }
        let delay = TimeAmount.microseconds(.random(in: 0...2_000))
        request.stream.eventLoop.scheduleTask(in: delay) { request.answer() }
    }

    fileprivate func noteAnswer(_ path: String) {
        state.withLock { $0.answers[path, default: 0] += 1 }
    }

    fileprivate func drop(_ stream: any Channel) {
        state.withLock { $0.held.removeAll { $0.stream === stream } }
    }
}

/// A request on a stream of the server.
struct RequestAtServer: Sendable {
    fileprivate let stream: any Channel
    fileprivate let path: String
    fileprivate let server: HTTP2Server

    fileprivate func answer() {
        stream.eventLoop.execute {
            guard stream.isActive else { return }
            server.noteAnswer(path)
            let head = HTTPResponseHead(version: .http2, status: .ok)
            stream.write(HTTPServerResponsePart.head(head), promise: nil)
            stream.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: path))), promise: nil)
            stream.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        }
    }
}

/// A connection of the server.
final class ConnectionAtServer: Sendable {
    private struct State {
        var latestStream = HTTP2StreamID.rootStream
        var isGoingAway = false
    }

    private let channel: any Channel
    private let state = Mutex(State())

    fileprivate init(_ channel: any Channel) {
        self.channel = channel
    }

    var isOpen: Bool { channel.isActive }

    /// Tells the client a new limit of streams.
    func changeLimit(to limit: Int) {
        send(.settings(.settings([HTTP2Setting(parameter: .maxConcurrentStreams, value: limit)])))
    }

    /// Asks the client to close the connection. The server answers the requests that it has received, and refuses all later ones,
    /// also if they are on the way already. It leaves it to the client to close the connection. Idempotent.
    func goAway() {
        channel.eventLoop.execute { [self] in
            let latest = state.withLock { state -> HTTP2StreamID? in
                defer { state.isGoingAway = true }
                return state.isGoingAway ? nil : state.latestStream
            }
            if let latest { send(.goAway(lastStreamID: latest, errorCode: .noError, opaqueData: nil)) }
        }
    }

    /// Asks the client to close the connection, and refuses all requests that were received except the first ones.
    func goAway(answeringOnly count: Int) {
        send(.goAway(lastStreamID: HTTP2StreamID(2 * count - 1), errorCode: .noError, opaqueData: nil))
    }

    fileprivate func note(_ stream: HTTP2StreamID) {
        state.withLock { $0.latestStream = max($0.latestStream, stream) }
    }

    private func send(_ payload: HTTP2Frame.FramePayload) {
        channel.writeAndFlush(HTTP2Frame(streamID: .rootStream, payload: payload), promise: nil)
    }
}

/// Receives the request on a stream.
private final class StreamAtServer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let server: HTTP2Server
    private let connection: ConnectionAtServer
    private var path = ""

    init(_ server: HTTP2Server, _ connection: ConnectionAtServer) {
        self.server = server
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            path = head.uri
            if let id = try? context.channel.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID) {
                connection.note(id)
            }
        case .body: break
        case .end: server.receive(RequestAtServer(stream: context.channel, path: path, server: server))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        server.drop(context.channel)
        context.fireChannelInactive()
    }
}
