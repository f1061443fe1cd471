// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Turns the errors of opening a connection into messages for people.
struct ConnectFailure {
    let endpoint: RedisConfiguration.Endpoint
    let usesTLS: Bool
    let timeout: Duration

    // MARK: - Before the connection is open

    /// The error of a connection that could not be opened.
    func connecting(_ error: any Error) -> RedisError {
        if case ChannelError.connectTimeout? = error as? ChannelError { return timedOutConnecting }
        let message: String
        if let error = error as? NIOConnectionError {
            message = reason(of: error)
        } else {
            message = "\(Self.text(of: error)). \(advice(for: [error]))"
        }
        return RedisError(.connectFailed, "Cannot connect to \(endpoint): \(message)", underlyingError: error)
    }

    private func reason(of error: NIOConnectionError) -> String {
        // Without a failed address there was none: the resolver has failed.
        guard !error.connectionErrors.isEmpty else {
            return "the host name cannot be resolved. Check its spelling and the name server."
        }
        var reasons: [String] = []
        for failure in error.connectionErrors {
            let text = Self.text(of: failure.error)
            let isOnlyAddress = error.connectionErrors.count == 1 && failure.target.ipAddress == error.host
            let reason = isOnlyAddress ? text : "\(text) at \(Self.address(failure.target))"
            if !reasons.contains(reason) { reasons.append(reason) }
        }
        return "\(reasons.joined(separator: ", ")). \(advice(for: error.connectionErrors.map(\.error)))"
    }

    private func advice(for errors: [any Error]) -> String {
        switch endpoint {
        case .unixSocket: return "Check that the server runs, and the path and the permissions of its socket."
        case .tcp:
            let isRefused = errors.contains { ($0 as? IOError)?.errnoCode == ECONNREFUSED }
            return isRefused
                ? "Nothing listens at this address. Check that the server runs, and the host and the port."
                : "Check the host, the port and the network."
        }
    }

    private var timedOutConnecting: RedisError {
        let message = "\(endpoint) could not be reached within \(timeout). Check the host, the port and the network."
        return RedisError(.connectTimedOut, message)
    }

    // MARK: - On an open connection

    /// The error of a connection that the server did not answer on in time.
    ///
    /// - Parameter handler: The handler of the open connection, or `nil` if there is none yet.
    func timedOut(_ handler: RedisChannelHandler?) -> RedisError {
        guard let handler else { return timedOutConnecting }
        let what: String
        let advice: String
        if usesTLS, !handler.isTLSEstablished {
            what = "the TLS handshake "
            advice = "Check that the port expects TLS: it is the tls-port of redis-server."
        } else {
            what = ""
            advice = "Check that the port belongs to a Redis server, and that the server is not overloaded."
        }
        let message = "\(endpoint) accepted the connection, but did not answer \(what)within \(timeout). \(advice)"
        return RedisError(.connectTimedOut, message)
    }

    /// The error of a connection that broke before the server had answered the set-up commands.
    func settingUp(_ error: any Error, _ handler: RedisChannelHandler) -> RedisError {
        guard let redisError = error as? RedisError else {
            let message = "Cannot use the connection to \(endpoint): \(Self.text(of: error))."
            return RedisError(.connectFailed, message, underlyingError: error)
        }
        if redisError.code == .tlsFailed {
            return RedisError(
                .tlsFailed,
                "Cannot connect to \(endpoint). \(redisError.message)",
                underlyingError: error
            )
        }
        let message: String
        if let bytes = handler.unansweredBytes, redisError.code == .protocolError {
            message = Self.explain(bytes) ?? redisError.message
        } else if !handler.hasReply, redisError.code == .connectionClosed, !usesTLS {
            message =
                "the server closed the connection before it answered. If the port expects TLS, use rediss:// or set the "
                + "TLS configuration. Otherwise check that a Redis server listens there."
            return RedisError(
                .connectFailed,
                "Cannot use the connection to \(endpoint): \(message)",
                underlyingError: error
            )
        } else {
            message = redisError.message
        }
        return RedisError(
            .connectFailed,
            "Cannot use the connection to \(endpoint). \(message)",
            underlyingError: error
        )
    }

    /// What the first bytes of a server that does not speak Redis's protocol tell about it.
    private static func explain(_ bytes: [UInt8]) -> String? {
        // A TLS record: an alert (21) or a handshake message (22), then the major version 3.
        if bytes.count > 1, bytes[0] == 21 || bytes[0] == 22, bytes[1] == 3 {
            return "The port expects TLS. Use rediss:// or set the TLS configuration."
        }
        let line = bytes.prefix { $0 != 13 && $0 != 10 }
        guard !line.isEmpty, line.allSatisfy({ (0x20...0x7E).contains($0) }) else { return nil }
        let text = String(decoding: line.prefix(60), as: UTF8.self)
        return "The answer '\(text)' is not Redis's protocol. Check that a Redis server listens there."
    }

    // MARK: - Texts

    /// The text of an error of the operating system, or the description of any other error.
    static func text(of error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        if let error = error as? RedisError { return error.message }
        return "\(error)"
    }

    private static func address(_ address: SocketAddress) -> String {
        guard let ip = address.ipAddress, let port = address.port else { return "\(address)" }
        return "\(RedisConfiguration.Endpoint.tcp(host: ip, port: port))"
    }
}
