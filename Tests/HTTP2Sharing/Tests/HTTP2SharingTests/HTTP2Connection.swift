// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOHTTP2
import Synchronization

/// The server has not processed a request and never will, so it is safe to send it again (RFC 9113, section 8.7).
struct RequestNotProcessed: Error {
    let cause: any Error
}

/// A connection to an HTTP/2 server. Each request of a task is a stream of it.
final class HTTP2Connection: Sendable {
    private struct State {
        var streamLimit = Int.max
        /// The last stream that the server will answer; `nil` if it does not go away.
        var lastStream: HTTP2StreamID?
        var limitDidChange: (@Sendable () -> Void)?
        var running = 0
        var highestLimit = 0
        var mostAboveLimit = 0
    }

    private let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
    private let state = Mutex(State())

    init(_ channel: any Channel, _ multiplexer: NIOHTTP2Handler.StreamMultiplexer) {
        self.channel = channel
        self.multiplexer = multiplexer
    }

    var isOpen: Bool { channel.isActive }

    /// How many streams the server allows at the same time; 0 when it has asked to close the connection.
    var streamLimit: Int { state.withLock { $0.lastStream == nil ? $0.streamLimit : 0 } }

    /// How many requests more than the server has ever allowed ran at the same time. swift-nio-http2 would hide them from the
    /// server, because it keeps such requests back.
    var mostAboveLimit: Int { state.withLock { $0.mostAboveLimit } }

    func whenStreamLimitChanges(_ action: @escaping @Sendable () -> Void) {
        state.withLock { $0.limitDidChange = action }
    }

    func whenClosed(_ action: @escaping @Sendable () -> Void) {
        channel.closeFuture.whenComplete { _ in action() }
    }

    func close() async throws {
        do {
            try await channel.close()
        } catch ChannelError.alreadyClosed {
            // By the server.
        }
    }

    /// Closes the connection without waiting. Requests in progress fail.
    func abort() {
        channel.close(promise: nil)
    }

    /// Sends a request and returns the body of the response.
    ///
    /// - Throws: ``RequestNotProcessed`` if the request can be sent again.
    func get(_ path: String) async throws -> String {
        state.withLock { state in
            state.running += 1
            state.mostAboveLimit = max(state.mostAboveLimit, state.running - state.highestLimit)
        }
        defer { state.withLock { $0.running -= 1 } }
        let response = channel.eventLoop.makePromise(of: String.self)
        multiplexer.createStreamChannel { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandlers(
                    HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .http),
                    RequestOnStream(path: path, response, connection: self)
                )
            }
        }.whenFailure { error in
            response.fail(RequestNotProcessed(cause: error))
        }
        return try await response.futureResult.get()
    }

    // MARK: What the server says

    fileprivate func serverChanged(limit: Int) {
        change { state in
            state.streamLimit = limit
            state.highestLimit = max(state.highestLimit, limit)
        }
    }

    fileprivate func serverGoesAway(answeringUpTo lastStream: HTTP2StreamID) {
        change { $0.lastStream = lastStream }
    }

    /// Whether the server has said that it will not answer a request.
    fileprivate func isRefused(_ stream: HTTP2StreamID) -> Bool {
        state.withLock { state in state.lastStream.map { stream > $0 } ?? false }
    }

    private func change(_ body: (inout State) -> Void) {
        let limitDidChange = state.withLock { state in
            body(&state)
            return state.limitDidChange
        }
        limitDidChange?()
    }
}

/// Receives what the server says about the whole connection.
final class ConnectionFrames: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let connection: HTTP2Connection
    /// Succeeds with the first settings.
    private let ready: EventLoopPromise<Void>

    init(_ connection: HTTP2Connection, _ ready: EventLoopPromise<Void>) {
        self.connection = connection
        self.ready = ready
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        case .settings(.settings(let settings)):
            if let limit = settings.last(where: { $0.parameter == .maxConcurrentStreams })?.value {
                connection.serverChanged(limit: limit)
            }
            ready.succeed()
        case .goAway(let lastStream, _, _):
            connection.serverGoesAway(answeringUpTo: lastStream)
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A stream that could not be created any more has failed by itself. Other errors end the connection.
        if !(error is NIOHTTP2Errors.CreatedStreamAfterGoaway) { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        ready.fail(ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }
}

/// Sends one request on a stream, and collects the response.
private final class RequestOnStream: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let path: String
    private let response: EventLoopPromise<String>
    private let connection: HTTP2Connection
    private var body = ""

    init(path: String, _ response: EventLoopPromise<String>, connection: HTTP2Connection) {
        self.path = path
        self.response = response
        self.connection = connection
    }

    func channelActive(context: ChannelHandlerContext) {
        let head = HTTPRequestHead(version: .http2, method: .GET, uri: path, headers: ["host": "127.0.0.1"])
        context.write(wrapOutboundOut(.head(head))).whenFailure { [response] error in
            response.fail(RequestNotProcessed(cause: error))
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: break
        case .body(let part): body += String(buffer: part)
        case .end: response.succeed(body)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error, context)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // Without an effect if the response was complete.
        fail(ChannelError.eof, context)
        context.fireChannelInactive()
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        let stream = try? context.channel.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID)
        let refusedByReset = (error as? NIOHTTP2Errors.StreamClosed)?.errorCode == .refusedStream
        // Afterwards, because swift-nio-http2 closes the streams that a GOAWAY refuses before it passes the frame on.
        context.eventLoop.execute { [connection, response] in
            let isRefused = refusedByReset || stream.map(connection.isRefused) ?? false
            response.fail(isRefused ? RequestNotProcessed(cause: error) : error)
        }
    }
}
