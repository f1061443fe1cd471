import NIOCore

/// Where a Redis server is, and how to talk to it.
///
/// Written out:
/// ```swift
/// var configuration = RedisConfiguration(host: "cache.internal", port: 6379)
/// configuration.password = secret
/// configuration.database = 3
/// ```
/// or from a URL: ``init(url:)``.
///
/// A value that makes no sense is refused with ``RedisError/Code/invalidConfiguration`` when a
/// ``RedisConnectionStrategy`` is made of the configuration.
public struct RedisConfiguration: Sendable, Hashable {
    /// Where a server listens.
    public enum Endpoint: Sendable, Hashable {
        /// A host name or address, and a port.
        case tcp(host: String, port: Int)
        /// The path of a socket in the file system.
        case unixSocket(path: String)
    }

    /// Redis's own port: 6379.
    public static let defaultPort = 6379

    /// Where the server listens.
    public var endpoint: Endpoint

    /// The user to authenticate as (Redis 6 and later). `nil`: the default user.
    ///
    /// With a user name and no ``password``, an empty password is sent, which suits a user that needs none.
    public var username: String?

    /// The password to authenticate with. `nil`, and no ``username``: no authentication.
    public var password: String?

    /// The number of the database, from 0. Default: 0.
    public var database = 0

    /// What the connections are called in the server's `CLIENT LIST`. `nil`: nothing. Redis allows no spaces in it.
    public var clientName: String?

    /// How long opening a connection may take in all: resolving the name, connecting, authenticating, and everything
    /// else up to the first answer of the server. Must be more than zero. Default: 5 seconds.
    public var connectTimeout: Duration = .seconds(5)

    /// How long a command, or a pipeline as a whole, may take until its last reply is there. `nil`: for ever; otherwise
    /// more than zero. Default: 30 seconds.
    ///
    /// For a single command that may take longer, such as `BLPOP`, give ``RedisConnection/send(_:timeout:)`` another
    /// timeout.
    public var commandTimeout: Duration? = .seconds(30)

    /// How many bytes one reply may have, as sent by the server; a longer one closes the connection. From 1 KiB to
    /// 2,000,000,000. Default: 1 GiB, which is twice the longest string that Redis stores.
    public var maximumReplyBytes = 1 << 30

    /// A server that listens on a port.
    public init(host: String, port: Int = RedisConfiguration.defaultPort) {
        endpoint = .tcp(host: host, port: port)
    }

    /// A server that listens on a socket in the file system.
    public init(unixSocketPath: String) {
        endpoint = .unixSocket(path: unixSocketPath)
    }

    /// A server given by a URL.
    ///
    /// - `redis://[[user]:password@]host[:port][/database]`. An IPv6 address is in brackets: `redis://[::1]:6379`.
    /// - `unix://[[user]:password@]/path[?db=number]`; `redis+unix`, `redis+socket` and `redis-socket` mean the same.
    ///
    /// Options after `?`, in seconds where they are times, unless a unit (`ms`, `s`, `m`) follows the number:
    ///
    /// | option | other names | sets |
    /// |---|---|---|
    /// | `db` | `database` | ``database`` |
    /// | `client_name` | `clientName` | ``clientName`` |
    /// | `connect_timeout` | `socket_connect_timeout`, `dial_timeout` | ``connectTimeout`` |
    /// | `command_timeout` | `socket_timeout`, `read_timeout`, `timeout` | ``commandTimeout`` |
    /// | `username`, `password` | | ``username``, ``password`` |
    /// | `protocol` | | nothing: must be 2 |
    ///
    /// Characters with a meaning in URLs are written as `%` and two hexadecimal digits, in passwords above all.
    ///
    /// - Throws: ``RedisError`` with ``RedisError/Code/invalidURL`` that says which part is wrong and why. It never
    ///   contains the password. Among the refused: `rediss` (this client does not speak TLS), options that are not
    ///   listed here, and a value that is given twice.
    public init(url: String) throws {
        self = try RedisURLParser.parse(url)
    }
}

extension RedisConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The configuration in one line, without the password.
    public var description: String {
        var parts = ["\(endpoint)", "database \(database)"]
        if let username { parts.append("user \(username)") }
        if password != nil { parts.append("password (hidden)") }
        if let clientName { parts.append("client name \(clientName)") }
        parts.append("connect timeout \(connectTimeout)")
        parts.append("command timeout \(commandTimeout.map { "\($0)" } ?? "none")")
        return parts.joined(separator: ", ")
    }

    public var debugDescription: String { description }

    /// Keeps the password out of `dump` and of the reports of tests.
    public var customMirror: Mirror { Mirror(self, children: ["configuration": description]) }
}

extension RedisConfiguration.Endpoint: CustomStringConvertible {
    /// `host:port`, with an IPv6 address in brackets, or the path of the socket.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): path
        }
    }
}
