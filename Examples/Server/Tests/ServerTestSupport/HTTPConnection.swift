// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOPosix

/// One connection to the server. It sends requests one after another, never repeats a request, never follows a redirection, and
/// reports how the connection ended.
public struct HTTPConnection {
    /// A complete response.
    public struct Answer: Sendable {
        public let status: Int
        public let headers: HTTPFields
        public let body: String
    }

    /// The reason why a request has no response.
    public enum Failure: Error, Sendable {
        /// Nothing listens at the port.
        case refused
        /// The connection ended before the response, so the server did not accept the request.
        case closedBeforeAnswer
        /// The connection ended during the response.
        case cut
        /// Neither a response nor the end of the connection arrived in time.
        case timedOut
    }

    private let port: Int
    private var inbound: NIOAsyncChannelInboundStream<HTTPResponsePart>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<HTTPRequestPart>
    private let channel: any Channel
    /// Whether the server has announced that it will close the connection.
    public private(set) var isOver = false

    /// Connects, and runs a body that sends requests.
    ///
    /// - Throws: ``Failure/refused``, or the error of the body.
    public static func with<Result: Sendable>(
        port: Int,
        _ body: @Sendable (inout HTTPConnection) async throws -> Result
    ) async throws -> Result {
        let channel: NIOAsyncChannel<HTTPResponsePart, HTTPRequestPart>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(HTTP1ToHTTPClientCodec())
                        return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw Failure.refused
        }
        return try await channel.executeThenClose { inbound, outbound in
            var connection = HTTPConnection(
                port: port,
                inbound: inbound.makeAsyncIterator(),
                outbound: outbound,
                channel: channel.channel
            )
            return try await body(&connection)
        }
    }

    /// Sends a request and waits for its response.
    ///
    /// - Parameter timeout: The time limit.
    public mutating func send(
        _ method: HTTPRequest.Method = .get,
        _ path: String,
        headers: HTTPFields = [:],
        body: String? = nil,
        timeout: TimeAmount = .seconds(60)
    ) async throws(Failure) -> Answer {
        // Closing the channel ends the wait.
        let hasTimedOut = NIOLockedValueBox(false)
        let alarm = channel.eventLoop.scheduleTask(in: timeout) { [channel] in
            hasTimedOut.withLockedValue { $0 = true }
            channel.close(promise: nil)
        }
        defer { alarm.cancel() }
        var isBegun = false
        do {
            try await write(method, path, headers, body)
            return try await readAnswer(&isBegun)
        } catch {
            if hasTimedOut.withLockedValue({ $0 }) { throw .timedOut }
            throw isBegun ? .cut : .closedBeforeAnswer
        }
    }

    /// Sends a request and reads its response in parts.
    ///
    /// - Parameter receive: Receives each part, and returns whether to continue.
    /// - Returns: Whether the response was complete.
    public mutating func stream(_ path: String, _ receive: (String) throws -> Bool) async throws -> Bool {
        try await write(.get, path, [:], nil)
        while let part = try await inbound.next() {
            switch part {
            case .head: continue
            case .body(let bytes): if try !receive(String(buffer: bytes)) { return false }
            case .end: return true
            }
        }
        return false
    }

    /// Sends the head of a request that announces a body, and never sends the body.
    public func sendHalf() async throws {
        var request = HTTPRequest(method: .post, scheme: "http", authority: "127.0.0.1:\(port)", path: "/links")
        request.headerFields = [.contentType: "application/json", .contentLength: "100"]
        try await outbound.write(.head(request))
    }

    private func write(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ headers: HTTPFields,
        _ body: String?
    ) async throws {
        var request = HTTPRequest(method: method, scheme: "http", authority: "127.0.0.1:\(port)", path: path)
        request.headerFields = headers
        if let body { request.headerFields[.contentLength] = "\(body.utf8.count)" }
        var parts: [HTTPRequestPart] = [.head(request)]
        if let body { parts.append(.body(ByteBuffer(string: body))) }
        parts.append(.end(nil))
        try await outbound.write(contentsOf: parts)
    }

    private mutating func readAnswer(_ isBegun: inout Bool) async throws -> Answer {
        var head: HTTPResponse?
        var body = ByteBuffer()
        while let part = try await inbound.next() {
            isBegun = true
            switch part {
            case .head(let response): head = response
            case .body(var bytes): body.writeBuffer(&bytes)
            case .end:
                guard let head else { throw Failure.cut }
                isOver = head.headerFields[.connection]?.lowercased() == "close"
                return Answer(status: head.status.code, headers: head.headerFields, body: String(buffer: body))
            }
        }
        throw Failure.cut
    }
}
