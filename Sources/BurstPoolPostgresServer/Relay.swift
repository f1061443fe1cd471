// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Relays TCP connections to a port of 127.0.0.1. It listens on 127.0.0.1 or another IPv4 address of this machine. The target can be changed, and the relay can stop passing bytes.
package final class Relay: Sendable {
    package let port: Int
    private let listener: Int32
    private let target: Mutex<Int>
    private let isFrozen = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)
    private let links = Mutex<[Link]>([])
    private let change = Mutex<(@Sendable (inout [UInt8]) -> Void)?>(nil)

    package init(to target: Int, listeningOn address: String = "127.0.0.1") throws {
        self.target = Mutex(target)
        (listener, port) = try Self.listen(on: address)
        Thread.detachNewThread { [self] in accept() }
    }

    /// Sends new connections somewhere else. The open ones stay as they are.
    package func redirect(to target: Int) {
        self.target.withLock { $0 = target }
    }

    /// Changes the next bytes that the server sends.
    package func changeNextReply(_ change: @escaping @Sendable (inout [UInt8]) -> Void) {
        self.change.withLock { $0 = change }
    }

    /// Passes no bytes, until it is thawed.
    package func freeze() {
        isFrozen.store(true, ordering: .sequentiallyConsistent)
    }

    /// Passes bytes again, first the bytes that have come meanwhile.
    package func thaw() {
        isFrozen.store(false, ordering: .sequentiallyConsistent)
    }

    /// Closes everything. Idempotent: the number of the listener's descriptor may belong to another file afterwards.
    package func stop() {
        if isStopped.exchange(true, ordering: .sequentiallyConsistent) { return }
        shutdown(listener, Int32(SHUT_RDWR))
        links.withLock { for link in $0 { link.end() } }
    }

    /// A client's connection and the one to the server. The descriptors are closed when nobody can use them any more: while
    /// they are open, the server waits for ever if it has more to send.
    private final class Link: Sendable {
        let client: Int32
        let server: Int32

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }

        deinit {
            close(client)
            close(server)
        }

        func end() {
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_RDWR))
        }
    }

    private static let stream: Int32 = {
        #if canImport(Darwin)
            SOCK_STREAM
        #else
            Int32(SOCK_STREAM.rawValue)
        #endif
    }()

    private static func withAddress<Result>(
        _ host: String = "127.0.0.1",
        port: Int,
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr(host)
        address.sin_port = UInt16(port).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
    }

    private static func listen(on host: String) throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, stream, 0)
        let port: Int? = withAddress(host, port: 0) { address, length in
            guard bind(descriptor, address, length.pointee) == 0, Foundation.listen(descriptor, 64) == 0,
                getsockname(descriptor, address, length) == 0
            else { return nil }
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(UInt16(bigEndian: $0.pointee.sin_port))
            }
        }
        guard let port else {
            close(descriptor)
            throw POSIXError(.EADDRINUSE)
        }
        return (descriptor, port)
    }

    private func accept() {
        while true {
            let client = Foundation.accept(listener, nil, nil)
            if client < 0 || isStopped.load(ordering: .sequentiallyConsistent) { break }
            let server = socket(AF_INET, Self.stream, 0)
            let isConnected = Self.withAddress(port: target.withLock { $0 }) {
                connect(server, $0, $1.pointee) == 0
            }
            let link = Link(client: client, server: server)
            guard isConnected else { continue }
            links.withLock { $0.append(link) }
            // The relay may have been stopped since the connection was accepted.
            if isStopped.load(ordering: .sequentiallyConsistent) { link.end() }
            for isReply in [false, true] { Thread.detachNewThread { [self] in pass(over: link, isReply: isReply) } }
        }
        close(listener)
    }

    private func pass(over link: Link, isReply: Bool) {
        let (source, target) = isReply ? (link.server, link.client) : (link.client, link.server)
        defer {
            link.end()
            links.withLock { $0.removeAll { $0 === link } }
        }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            while isFrozen.load(ordering: .sequentiallyConsistent), !isStopped.load(ordering: .sequentiallyConsistent) {
                usleep(10_000)
            }
            guard count > 0 else { break }
            if isReply {
                change.withLock { change in
                    change?(&buffer)
                    change = nil
                }
            }
            var sent = 0
            while sent < count {
                let written = buffer[sent..<count].withUnsafeBytes {
                    send(target, $0.baseAddress, $0.count, Self.noSignal)
                }
                if written <= 0 { break }
                sent += written
            }
            if sent < count { break }
        }
    }

    #if canImport(Darwin)
        private static let noSignal: Int32 = 0
    #else
        private static let noSignal = Int32(MSG_NOSIGNAL)
    #endif
}
