// SPDX-License-Identifier: Apache-2.0

/// The address at which an agent receives DogStatsD datagrams.
public enum DogStatsDAddress: Sendable, Hashable {
    /// A host name or address, and a port.
    ///
    /// A name is resolved in the background. It is resolved again every 30 seconds, and when nothing listens at the address,
    /// so that the client finds an agent that has moved.
    case udp(host: String, port: Int)

    /// The path of a unix datagram socket.
    ///
    /// The socket need not exist yet and may be replaced. The client finds an agent that starts or restarts with its next
    /// datagram. If the socket does not exist when the client is created, the client logs a warning.
    case unixSocket(path: String)

    /// The default port of an agent: 8125.
    public static let defaultPort = 8125

    /// The default address of an agent: `127.0.0.1`, port 8125.
    public static let standard = DogStatsDAddress.udp(host: "127.0.0.1", port: defaultPort)

    /// Parses a URL, such as the value of the environment variable `DD_DOGSTATSD_URL`.
    ///
    /// - `udp://host[:port]`. An IPv6 address is written in brackets: `udp://[::1]:8125`. The default port is 8125.
    /// - `unix:///path` or `unixgram:///path`. The path is used as it is, without percent-decoding.
    ///
    /// - Throws: ``DogStatsDError`` with ``DogStatsDError/Code/invalidAddress``. `unixstream` URLs are invalid, because the
    ///   client does not support streams.
    public init(url: String) throws(DogStatsDError) {
        guard let (scheme, rest) = Self.split(url, at: "://") else {
            throw .invalidAddress("'\(url)' is not the URL of an agent. Write udp://host:port or unix:///path.")
        }
        switch scheme.lowercased() {
        case "udp":
            let (host, port) = try Self.hostAndPort(rest, of: url)
            self = .udp(host: host, port: port)
        case "unix", "unixgram":
            guard rest.utf8.first == UInt8(ascii: "/") else {
                throw .invalidAddress("'\(url)' has no absolute path. Write three slashes, as in unix:///path.")
            }
            self = .unixSocket(path: rest)
        case "unixstream":
            throw .invalidAddress(
                "'\(url)' is a stream socket, which this client does not support. Use a datagram socket: unix:///path."
            )
        default:
            throw .invalidAddress("'\(url)' has the unknown scheme '\(scheme)'. Use udp, unix or unixgram.")
        }
        try validate()
    }

    func validate() throws(DogStatsDError) {
        switch self {
        case .udp(let host, let port):
            guard !host.isEmpty else { throw .invalidAddress("The host of the agent is empty.") }
            guard !host.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
                throw .invalidAddress("The host '\(host)' of the agent contains a space or a control character.")
            }
            guard (1...65535).contains(port) else {
                throw .invalidAddress("The port \(port) of the agent is not between 1 and 65535.")
            }
        case .unixSocket(let path):
            guard !path.isEmpty else { throw .invalidAddress("The path of the agent's socket is empty.") }
            guard !path.utf8.contains(0) else {
                throw .invalidAddress("The path of the agent's socket contains a zero byte.")
            }
            guard path.utf8.count <= SocketAddress.longestPath else {
                throw .invalidAddress(
                    "The path of the agent's socket has \(path.utf8.count) bytes, but this system allows "
                        + "\(SocketAddress.longestPath): \(path)"
                )
            }
        }
    }
}

extension DogStatsDAddress: CustomStringConvertible {
    /// The address as a URL.
    public var description: String {
        switch self {
        case .udp(let host, let port) where host.utf8.contains(UInt8(ascii: ":")): "udp://[\(host)]:\(port)"
        case .udp(let host, let port): "udp://\(host):\(port)"
        case .unixSocket(let path): "unix://\(path)"
        }
    }
}

// MARK: - Parsing a URL

extension DogStatsDAddress {
    private static func split(_ text: String, at separator: String) -> (String, String)? {
        let text = Substring(text).utf8
        var start = text.startIndex
        while start < text.endIndex {
            if text[start...].starts(with: separator.utf8) {
                let end = text.index(start, offsetBy: separator.utf8.count)
                return (String(Substring(text[..<start])), String(Substring(text[end...])))
            }
            start = text.index(after: start)
        }
        return nil
    }

    private static func hostAndPort(_ text: String, of url: String) throws(DogStatsDError) -> (String, Int) {
        var text = text
        if text.utf8.last == UInt8(ascii: "/") { text.removeLast() }
        if text.utf8.first == UInt8(ascii: "[") {
            guard let (host, rest) = split(String(text.dropFirst()), at: "]") else {
                throw .invalidAddress("'\(url)' has a '[' without a ']' around its host.")
            }
            if rest.isEmpty { return (host, defaultPort) }
            guard rest.utf8.first == UInt8(ascii: ":") else {
                throw .invalidAddress("'\(url)' has text after the ']' that is not a port.")
            }
            return (host, try port(String(rest.dropFirst()), of: "'\(url)'"))
        }
        guard let (host, rest) = split(text, at: ":") else { return (text, defaultPort) }
        return (host, try port(rest, of: "'\(url)'"))
    }

    /// Parses a port in decimal digits.
    ///
    /// - Parameter owner: The text that contains the port, for the error message.
    static func port(_ text: String, of owner: String) throws(DogStatsDError) -> Int {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(text) else {
            throw .invalidAddress("\(owner) has the port '\(text)', which is not a number.")
        }
        return port
    }
}
