// SPDX-License-Identifier: Apache-2.0

/// What the errors of a server mean for a client and for the connection.
extension RedisError {
    /// Whether the server is not the one that callers need: a replica that refuses writes, a replica without its
    /// primary, a server that still loads its data, or one whose role has just changed.
    ///
    /// The other connections lead to the same server, so a pool closes them too.
    var isFromUnsuitableServer: Bool {
        guard let serverCode else { return false }
        switch serverCode {
        case "READONLY", "MASTERDOWN", "LOADING", "UNBLOCKED", "NOREPLICAS": return true
        // The reason why a queued command of a transaction, or a command of a script before Redis 7, was refused.
        case "EXECABORT", "ERR":
            return Self.unsuitableServerTexts.contains { message.contains($0) }
        default: return false
        }
    }

    private static let unsuitableServerTexts = [
        "READONLY You can't write", "MASTERDOWN Link with MASTER", "LOADING Redis is loading",
        "NOREPLICAS Not enough good replicas",
    ]

    /// Whether the server does not recognize the connection's user: its session must not be used any further.
    var isFromUnauthenticatedSession: Bool { serverCode == "NOAUTH" }

    /// Whether the server has reached its own limit of connections.
    var isFromFullServer: Bool { code == .serverError && message.hasPrefix("ERR max number of clients") }

    /// This error with an explanation, if the server's own text does not tell what to do.
    var explained: RedisError {
        switch serverCode {
        case "MOVED"?, "ASK"?, "CROSSSLOT"?, "CLUSTERDOWN"?, "TRYAGAIN"?:
            RedisError(
                .serverError,
                "\(message). The server runs in cluster mode, which this client does not support. "
                    + "Connect to a server, or to a proxy, in non-cluster mode.",
                underlyingError: self
            )
        default: self
        }
    }
}
