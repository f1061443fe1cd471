// SPDX-License-Identifier: Apache-2.0

import NIOCore

extension RedisConfiguration {
    /// The valid values of ``maximumReplyBytes``. hiredis measures its buffer with `int`s, so a reply must stay well
    /// below 2³¹.
    static let maximumReplyBytesRange = 1024...2_000_000_000

    /// Checks everything that can be checked without a server.
    ///
    /// - Throws: ``RedisError/Code/invalidConfiguration`` with a message that names the value.
    func validate() throws {
        switch endpoint {
        case .tcp(let host, let port):
            guard !host.isEmpty else { throw invalid("The host is empty.") }
            guard !host.utf8.contains(0) else { throw invalid("The host contains a zero byte.") }
            guard (1...65535).contains(port) else { throw invalid("The port is \(port), not between 1 and 65535.") }
        case .unixSocket(let path): try validate(socketPath: path)
        }
        guard database >= 0 else { throw invalid("The database is \(database), which is negative.") }
        guard connectTimeout > .zero else {
            throw invalid("The connect timeout is \(connectTimeout). It must be more than zero.")
        }
        if let commandTimeout, commandTimeout <= .zero {
            throw invalid("The command timeout is \(commandTimeout). It must be more than zero, or nil.")
        }
        let range = Self.maximumReplyBytesRange
        guard range.contains(maximumReplyBytes) else {
            throw invalid(
                "maximumReplyBytes is \(maximumReplyBytes), not between \(range.lowerBound) and \(range.upperBound)."
            )
        }
        if let tls { try validate(tls) }
    }

    private func validate(socketPath path: String) throws {
        guard !path.isEmpty else { throw invalid("The path of the unix socket is empty.") }
        guard !path.utf8.contains(0) else { throw invalid("The path of the unix socket contains a zero byte.") }
        do {
            _ = try SocketAddress(unixDomainSocketPath: path)
        } catch {
            throw invalid("The path of the unix socket is too long for this system: \(path)", error)
        }
    }

    private func validate(_ tls: RedisTLSConfiguration) throws {
        guard case .tcp = endpoint else {
            throw invalid("TLS is configured for a unix socket. Redis offers TLS on TCP ports only.")
        }
        if let name = tls.serverName {
            guard !name.isEmpty, !name.utf8.contains(0), name.utf8.count <= 255 else {
                throw invalid("The TLS server name is empty, longer than 255 bytes, or contains a zero byte.")
            }
            guard !Self.isAddress(name) else {
                throw invalid("The TLS server name '\(name)' is an IP address. It must be a host name.")
            }
        }
    }

    /// Whether a host is an IP address rather than a name.
    static func isAddress(_ host: String) -> Bool {
        (try? SocketAddress(ipAddress: host, port: 0)) != nil
    }

    private func invalid(_ message: String, _ underlyingError: (any Error)? = nil) -> RedisError {
        RedisError(.invalidConfiguration, message, underlyingError: underlyingError)
    }
}
