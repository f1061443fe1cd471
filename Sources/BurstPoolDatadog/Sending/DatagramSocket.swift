#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A datagram socket of the operating system that is connected to one address and never blocks.
///
/// Plain calls rather than SwiftNIO, for two reasons. What `send` says of each datagram is what has to be counted, and
/// decides what happens next; a channel closes itself at most of these errors. And a datagram socket that does not block
/// needs no event loop, so that the whole product gets by without that dependency.
final class DatagramSocket {
    private let descriptor: Int32

    /// - Throws: What `socket` or `connect` says, as ``SystemError``. Connecting a datagram socket only fixes the address: it
    ///   succeeds over UDP also where nobody listens, and over a unix socket only where somebody does.
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

    /// Hands a datagram to the system, without waiting.
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

/// What the system says it could not do.
struct SystemError: Error, Equatable {
    let code: Int32

    /// What it means for a datagram.
    enum Meaning {
        /// The receiver's buffer, or the system's own, is full at the moment.
        case noRoom
        /// Nobody listens there, or no longer, or no way leads there.
        case nobodyListens
        /// This datagram, or this system, will not do.
        case refused
    }

    var meaning: Meaning {
        switch code {
        case EAGAIN, EWOULDBLOCK, ENOBUFS, ENOMEM: .noRoom
        case EMSGSIZE, EACCES, EPERM, EMFILE, ENFILE, EPROTOTYPE: .refused
        default: .nobodyListens
        }
    }
}
