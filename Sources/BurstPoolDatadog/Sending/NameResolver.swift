// SPDX-License-Identifier: Apache-2.0

import Dispatch

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Returns the addresses of a host in the order in which to try them, or an empty array if the host is unknown.
typealias NameResolver = @Sendable (_ host: String, _ port: Int) async -> [SocketAddress]

/// Resolves names with `getaddrinfo`.
enum SystemNameResolver {
    @Sendable
    static func resolve(host: String, port: Int) async -> [SocketAddress] {
        let numeric = addresses(host, port, flags: AI_NUMERICHOST)
        if !numeric.isEmpty { return numeric }
        // `getaddrinfo` can block for many seconds, so it must not run on a thread of the cooperative pool.
        return await withUnsafeContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                continuation.resume(returning: addresses(host, port, flags: 0))
            }
        }
    }

    /// Returns whether a host is a numeric address, which never needs to be resolved again.
    static func isNumeric(_ host: String) -> Bool { !addresses(host, 1, flags: AI_NUMERICHOST).isEmpty }

    private static func addresses(_ host: String, _ port: Int, flags: Int32) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_flags = flags | AI_NUMERICSERV
        #if canImport(Darwin)
            hints.ai_socktype = SOCK_DGRAM
        #else
            hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        #endif
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        return sequence(first: first) { $0?.pointee.ai_next }
            .prefix { $0 != nil }
            .compactMap { $0.map { SocketAddress($0.pointee) } }
    }
}
