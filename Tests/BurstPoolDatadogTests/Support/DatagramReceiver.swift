// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A socket that receives datagrams at a port of the loopback interface or at a path.
///
/// Datagrams that were sent before can be read without waiting, because they do not leave this machine.
final class DatagramReceiver {
    private let descriptor: Int32
    private let path: String?
    /// 0 for a unix socket.
    let port: Int

    /// - Parameters:
    ///   - address: An IPv4 address of this machine.
    ///   - port: 0 selects a free port.
    init(address: String = "127.0.0.1", port: Int = 0) throws {
        path = nil
        descriptor = Self.socket(AF_INET)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, address, &name.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        self.port = Int(UInt16(bigEndian: name.sin_port))
        guard isBound else { throw POSIXError(.EADDRINUSE) }
    }

    init(path: String) throws {
        self.path = path
        port = 0
        descriptor = Self.socket(AF_UNIX)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = descriptor
        let isBound = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRINUSE) }
    }

    /// Closes the socket and removes it from the file system, as an agent does when it stops.
    ///
    /// A process that another test starts at this moment can inherit the socket and hold it open for a short time.
    deinit {
        let visitor = Self.socket(path == nil ? AF_INET : AF_UNIX)
        let connected = connectToSelf(visitor)
        close(descriptor)
        if let path { unlink(path) }
        while connected, send(visitor, "?", 1, 0) == 1 || errno == EAGAIN { usleep(100) }
        close(visitor)
    }

    /// Connects another socket to the address of this one.
    private func connectToSelf(_ other: Int32) -> Bool {
        var name = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length) == 0 && connect(other, $0, length) == 0
            }
        }
    }

    private static func socket(_ family: Int32) -> Int32 {
        #if canImport(Darwin)
            let type = SOCK_DGRAM
        #else
            let type = Int32(SOCK_DGRAM.rawValue)
        #endif
        let descriptor = Foundation.socket(family, type, 0)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return descriptor
    }

    /// Returns the datagrams that arrived since the previous call.
    func take() -> [String] {
        var datagrams: [String] = []
        while let datagram = takeOne() { datagrams.append(datagram) }
        return datagrams
    }

    /// Returns the next datagram, if there is one. Invalid UTF-8 becomes a replacement character.
    func takeOne() -> String? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Returns the messages in the datagrams that arrived since the previous call.
    func takeMessages() -> [String] {
        take().flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    }
}

/// Returns an unused path for a socket, short enough for every system.
func uniqueSocketPath() -> String { "/tmp/dsd-\(UInt64.random(in: 0 ... .max)).sock" }
