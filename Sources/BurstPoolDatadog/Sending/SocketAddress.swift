// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// An address for the system's socket calls: a host and port, or the path of a unix socket.
struct SocketAddress: Sendable {
    private var storage = sockaddr_storage()
    private var length: socklen_t = 0

    /// The largest number of bytes of a path on this system, without its terminating zero.
    static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// - Parameter path: At most ``longestPath`` bytes.
    init(path: String) {
        withUnsafeMutableBytes(of: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr_un.self) { address in
                address[0].sun_family = sa_family_t(AF_UNIX)
                withUnsafeMutableBytes(of: &address[0].sun_path) { target in
                    target.copyBytes(from: path.utf8.prefix(Self.longestPath))
                }
            }
        }
        length = socklen_t(MemoryLayout<sockaddr_un>.size)
    }

    /// - Parameter information: A result of `getaddrinfo`.
    init(_ information: addrinfo) {
        length = min(information.ai_addrlen, socklen_t(MemoryLayout<sockaddr_storage>.size))
        withUnsafeMutableBytes(of: &storage) { storage in
            storage.copyMemory(from: UnsafeRawBufferPointer(start: information.ai_addr, count: Int(length)))
        }
    }

    var family: Int32 { Int32(storage.ss_family) }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafeBytes(of: storage) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { body($0.baseAddress!, length) }
        }
    }
}

extension SocketAddress: Equatable {
    static func == (left: SocketAddress, right: SocketAddress) -> Bool {
        guard left.length == right.length else { return false }
        return withUnsafeBytes(of: left.storage) { left_ in
            withUnsafeBytes(of: right.storage) { right_ in
                left_.prefix(Int(left.length)).elementsEqual(right_.prefix(Int(right.length)))
            }
        }
    }
}
