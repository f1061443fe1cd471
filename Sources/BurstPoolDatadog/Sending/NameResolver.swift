import Dispatch

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Finds the addresses of a host. Several, in the order in which they should be tried; none if there is no such host.
typealias NameResolver = @Sendable (_ host: String, _ port: Int) async -> [SocketAddress]

/// Asks the system.
enum SystemNameResolver {
    @Sendable
    static func resolve(host: String, port: Int) async -> [SocketAddress] {
        let numeric = addresses(host, port, flags: AI_NUMERICHOST)
        if !numeric.isEmpty { return numeric }
        // Asking for a name can block for many seconds, so not on a thread that tasks share.
        return await withUnsafeContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                continuation.resume(returning: addresses(host, port, flags: 0))
            }
        }
    }

    /// Whether a host is an address already, which needs no asking and does not change.
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
