// SPDX-License-Identifier: Apache-2.0

/// The scheme of a Redis URL: how the server is reached.
enum RedisURLScheme: Equatable {
    case tcp, tls, unixSocket

    /// Reads a scheme.
    ///
    /// - Throws: ``RedisError/Code/invalidURL`` with advice. The advice never turns a URL that asks for TLS into one
    ///   that does not.
    init(_ name: String) throws(RedisError) {
        switch name {
        case "redis", "valkey": self = .tcp
        case "rediss", "valkeys", "redis+ssl", "redis+tls", "valkey+ssl", "valkey+tls": self = .tls
        case "unix", "redis+unix", "redis+socket", "redis-socket", "valkey+unix", "valkey+socket", "valkey-socket":
            self = .unixSocket
        case "":
            throw .invalidURL("scheme", "it is empty. \(Self.advice)")
        case let name where name.contains("sentinel"):
            throw .invalidURL(
                "scheme",
                "'\(name)' names Redis Sentinel, which this client does not support. "
                    + "Give the address of the server itself, or of a proxy that follows failovers."
            )
        case let name where name.contains("cluster"):
            throw .invalidURL(
                "scheme",
                "'\(name)' names Redis Cluster, which this client does not support. "
                    + "Use a server or an endpoint in non-cluster mode."
            )
        case "rediss+socket", "rediss+unix", "rediss-socket":
            throw .invalidURL(
                "scheme",
                "'\(name)' asks for TLS on a unix socket, which Redis does not offer. For TLS, write rediss:// and a host."
            )
        default:
            throw .invalidURL("scheme", "'\(name)' is not a scheme for Redis. \(Self.advice)")
        }
    }

    static let advice =
        "Start the URL with rediss:// for TLS, with redis:// without TLS, or with unix:// for a unix socket."
}
