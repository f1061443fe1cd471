/// Where an agent listens for DogStatsD datagrams.
public enum DogStatsDAddress: Sendable, Hashable {
    /// A host name or address, and a port.
    ///
    /// A name is resolved in the background, and again every 30 seconds or when nobody listens where it led, so that an
    /// agent that moves is found again.
    case udp(host: String, port: Int)

    /// The path of a unix datagram socket in the file system.
    ///
    /// It need not exist yet, and may be replaced: an agent that starts, or restarts, is found at the next datagram.
    case unixSocket(path: String)

    /// The port of an agent: 8125.
    public static let defaultPort = 8125

    /// Where an agent listens unless it is told otherwise: `127.0.0.1`, port 8125.
    public static let standard = DogStatsDAddress.udp(host: "127.0.0.1", port: defaultPort)

    /// An address given by a URL, as in the environment variable `DD_DOGSTATSD_URL`.
    ///
    /// - `udp://host[:port]`; an IPv6 address is in brackets: `udp://[::1]:8125`. Without a port: 8125.
    /// - `unix:///path`; `unixgram` means the same. What follows the slashes is the path as it is, without decoding.
    ///
    /// - Throws: ``DogStatsDError`` with ``DogStatsDError/Code/invalidAddress`` that says what is wrong. Among the refused:
    ///   `unixstream`, a protocol of its own which this client does not speak.
    public init(url: String) throws(DogStatsDError) {
        guard let (scheme, rest) = Self.split(url, at: "://") else {
            throw .invalidAddress("'\(url)' is no URL of an agent, which starts with udp:// or unix://")
        }
        switch scheme.lowercased() {
        case "udp":
            let (host, port) = try Self.hostAndPort(rest, of: url)
            self = .udp(host: host, port: port)
        case "unix", "unixgram":
            guard rest.utf8.first == UInt8(ascii: "/") else {
                throw .invalidAddress("'\(url)' has no absolute path; write three slashes, as in unix:///path")
            }
            self = .unixSocket(path: rest)
        case "unixstream":
            throw .invalidAddress("'\(url)' asks for a stream, which this client does not speak; use unix://")
        default:
            throw .invalidAddress("'\(url)' has the scheme '\(scheme)', which is none of udp, unix and unixgram")
        }
        try validate()
    }

    func validate() throws(DogStatsDError) {
        switch self {
        case .udp(let host, let port):
            guard !host.isEmpty else { throw .invalidAddress("the agent's host is empty") }
            guard !host.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
                throw .invalidAddress("the agent's host '\(host)' contains a space or a control character")
            }
            guard (1...65535).contains(port) else {
                throw .invalidAddress("the agent's port \(port) is not between 1 and 65535")
            }
        case .unixSocket(let path):
            guard !path.isEmpty else { throw .invalidAddress("the path of the agent's socket is empty") }
            guard !path.utf8.contains(0) else {
                throw .invalidAddress("the path of the agent's socket contains a zero byte")
            }
            guard path.utf8.count <= SocketAddress.longestPath else {
                throw .invalidAddress(
                    "the path of the agent's socket has \(path.utf8.count) bytes, but this system allows for "
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

// MARK: - Cutting a URL into parts

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
                throw .invalidAddress("'\(url)' has a '[' without a ']' around its host")
            }
            if rest.isEmpty { return (host, defaultPort) }
            guard rest.utf8.first == UInt8(ascii: ":") else {
                throw .invalidAddress("'\(url)' has something after the ']' that is no port")
            }
            return (host, try port(String(rest.dropFirst()), of: "'\(url)'"))
        }
        guard let (host, rest) = split(text, at: ":") else { return (text, defaultPort) }
        return (host, try port(rest, of: "'\(url)'"))
    }

    /// A port in decimal digits.
    ///
    /// - Parameter owner: Whose port it is, for the error.
    static func port(_ text: String, of owner: String) throws(DogStatsDError) -> Int {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(text) else {
            throw .invalidAddress("\(owner) has the port '\(text)', which is not a number")
        }
        return port
    }
}
