// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The address of a Redis server, and the settings of the connections to it.
///
/// In code:
/// ```swift
/// var configuration = RedisConfiguration(host: "cache.internal", port: 6379)
/// configuration.password = secret
/// configuration.database = 3
/// ```
/// or from a URL: ``init(url:)``.
///
/// ``RedisConnectionStrategy`` validates the configuration and throws ``RedisError/Code/invalidConfiguration`` if a
/// value is out of range.
public struct RedisConfiguration: Sendable, Hashable {
    /// The address at which a server listens.
    public enum Endpoint: Sendable, Hashable {
        /// A host name or IP address, and a port.
        case tcp(host: String, port: Int)
        /// The path of a unix socket.
        case unixSocket(path: String)
    }

    /// The port at which Redis listens by default: 6379.
    public static let defaultPort = 6379

    /// The address at which the server listens.
    public var endpoint: Endpoint

    /// The user to authenticate as (Redis 6 and later). Default: `nil`, the default user.
    ///
    /// With a user name and no ``password``, an empty password is sent, which suits a user that needs none.
    public var username: String?

    /// The password to authenticate with. Default: `nil`. Without a ``username`` either, the connection does not
    /// authenticate.
    public var password: String?

    /// The number of the database, from 0. Default: 0.
    public var database = 0

    /// The name of the connections in the server's `CLIENT LIST`. Default: `nil`, no name.
    ///
    /// Redis accepts printable ASCII characters without spaces. If the server refuses the name, or this user may not
    /// set one, the connection is used without a name.
    public var clientName: String?

    /// How connections are encrypted. Default: `nil`, they are not.
    public var tls: RedisTLSConfiguration?

    /// The time limit for opening a connection. Must be more than zero. Default: 5 seconds.
    ///
    /// It includes obtaining credentials, resolving the name, connecting, the TLS handshake, authenticating, and
    /// everything else up to the server's first replies.
    public var connectTimeout: Duration = .seconds(5)

    /// The time limit for a command, or for a whole pipeline, until its last reply has arrived. `nil`: no limit;
    /// otherwise more than zero. Default: 30 seconds.
    ///
    /// A blocking command such as `BLPOP` can get its own limit with ``RedisConnection/send(_:timeout:)``.
    public var commandTimeout: Duration? = .seconds(30)

    /// The maximum size of one reply in bytes, as the server sends it. From 1 KiB to 2,000,000,000. Default: 1 GiB,
    /// which is twice the length of the longest string that Redis stores.
    ///
    /// A longer reply closes the connection.
    public var maximumReplyBytes = 1 << 30

    /// Creates a configuration for a server that listens on a port.
    public init(host: String, port: Int = RedisConfiguration.defaultPort) {
        endpoint = .tcp(host: host, port: port)
    }

    /// Creates a configuration for a server that listens on a unix socket.
    public init(unixSocketPath: String) {
        endpoint = .unixSocket(path: unixSocketPath)
    }

    /// Creates a configuration from a URL.
    ///
    /// - `redis://[[user]:password@]host[:port][/database]` connects without encryption. `valkey` means the same.
    ///   An IPv6 address is written in brackets: `redis://[::1]:6379`.
    /// - `rediss://…` connects with TLS, also on port 6379 by default. `valkeys` means the same.
    /// - `unix://[[user]:password@]/path[?db=number]` connects to a unix socket; `redis+unix`, `redis+socket` and
    ///   `redis-socket` mean the same.
    ///
    /// These options may follow a `?`. Times are in seconds unless a unit (`ms`, `s`, `m`) follows the number.
    ///
    /// | option | other names | sets |
    /// |---|---|---|
    /// | `db` | `database` | ``database`` |
    /// | `username`, `password` | | ``username``, ``password`` |
    /// | `client_name` | `clientName` | ``clientName`` |
    /// | `connect_timeout` | `socket_connect_timeout`, `dial_timeout` | ``connectTimeout`` |
    /// | `command_timeout` | `socket_timeout`, `read_timeout`, `timeout` | ``commandTimeout`` |
    /// | `ssl` | `tls` | ``tls``: `true` or `false` |
    /// | `ssl_ca_certs` | `tls_ca_file` | ``RedisTLSConfiguration/trustRoots``: the path of a PEM file |
    /// | `ssl_certfile`, `ssl_keyfile` | `tls_cert_file`, `tls_key_file` | ``RedisTLSConfiguration/clientCertificate`` |
    /// | `ssl_check_hostname` | | ``RedisTLSConfiguration/verification``: `false` means without the name |
    /// | `ssl_cert_reqs` | | ``RedisTLSConfiguration/verification``: `required` or `none` |
    /// | `server_name` | `tls_server_name` | ``RedisTLSConfiguration/serverName`` |
    /// | `protocol` | | nothing; the only valid value is 2 |
    ///
    /// Characters that have a meaning in URLs are percent-encoded, above all in passwords: `@` is written as `%40`.
    ///
    /// - Throws: ``RedisError`` with ``RedisError/Code/invalidURL``. The message names the part that is wrong, and
    ///   never contains the password. Unknown options, contradicting values, and the schemes of Redis Sentinel and
    ///   Redis Cluster are refused.
    public init(url: String) throws {
        self = try RedisURLParser.parse(url)
    }
}

extension RedisConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The configuration in one line, without the password.
    public var description: String {
        var parts = ["\(endpoint)", "database \(database)"]
        if let tls { parts.append("\(tls)") }
        if let username { parts.append("user \(username)") }
        if password != nil { parts.append("password (hidden)") }
        if let clientName { parts.append("client name \(clientName)") }
        parts.append("connect timeout \(connectTimeout)")
        parts.append("command timeout \(commandTimeout.map { "\($0)" } ?? "none")")
        return parts.joined(separator: ", ")
    }

    public var debugDescription: String { description }

    /// Keeps the password out of `dump` and of test reports.
    public var customMirror: Mirror { Mirror(self, children: ["configuration": description]) }
}

extension RedisConfiguration.Endpoint: CustomStringConvertible {
    /// `host:port`, with an IPv6 address in brackets, or the path of the unix socket.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): path
        }
    }
}
