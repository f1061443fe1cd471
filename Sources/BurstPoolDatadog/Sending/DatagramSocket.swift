// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A non-blocking datagram socket that is connected to one address.
///
/// It makes system calls instead of using SwiftNIO for two reasons. The result of each `send` must be counted and decides
/// what happens next, while a channel closes itself after most of these errors. And a non-blocking datagram socket needs no
/// event loop, so the product does not depend on SwiftNIO.
final class DatagramSocket {
    private let descriptor: Int32

    /// - Throws: The error of `socket` or `connect`. Connecting a datagram socket only sets its peer address. Over UDP it
    ///   succeeds even if nothing listens there; over a unix socket it fails then.
    init(connectedTo address: SocketAddress) throws(SystemError) {
        #if canImport(Darwin)
            let type = SOCK_DGRAM
        #else
            let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        #endif
        let descriptor = socket(address.family, type, 0)
        guard descriptor >= 0 else { throw SystemError(code: errno) }
        #if canImport(Darwin)
            var on: Int32 = 1
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            _ = setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #endif
        let failed = address.withPointer { pointer, length in connect(descriptor, pointer, length) != 0 ? errno : nil }
        if let failed {
            close(descriptor)
            throw SystemError(code: failed)
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Passes a datagram to the system without waiting.
    func send(_ bytes: [UInt8]) throws(SystemError) {
        #if canImport(Darwin)
            let flags: Int32 = 0
        #else
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        #endif
        while true {
            let failed = bytes.withUnsafeBytes { bytes -> Int32? in
                #if canImport(Darwin)
                    let sent = Darwin.send(descriptor, bytes.baseAddress, bytes.count, flags)
                #elseif canImport(Musl)
                    let sent = Musl.send(descriptor, bytes.baseAddress, bytes.count, flags)
                #else
                    let sent = Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags)
                #endif
                return sent < 0 ? errno : nil
            }
            guard let failed else { return }
            if failed != EINTR { throw SystemError(code: failed) }
        }
    }
}

/// An error code of a system call.
struct SystemError: Error, Equatable {
    let code: Int32

    /// The meaning of the error for a datagram.
    enum Meaning {
        /// The buffer of the receiver or of the system is full.
        case noRoom
        /// Nothing listens at the address, or there is no route to it.
        case unreachable
        /// The system does not accept this datagram or does not permit sending.
        case refused
    }

    var meaning: Meaning {
        switch code {
        case EAGAIN, EWOULDBLOCK, ENOBUFS, ENOMEM: .noRoom
        case EMSGSIZE, EACCES, EPERM, EMFILE, ENFILE, EPROTOTYPE: .refused
        default: .unreachable
        }
    }
}
