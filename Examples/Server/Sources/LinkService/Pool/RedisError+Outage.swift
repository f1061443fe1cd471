import BurstPoolRedis

extension RedisError {
    /// Whether the server, or the way there, was the reason, and not what was asked: the same may succeed later.
    var isOfAnOutage: Bool {
        switch code {
        case .connectFailed, .connectTimedOut, .authenticationFailed, .connectionClosed, .commandTimedOut,
            .protocolError,
            .closeTimedOut:
            true
        case .serverError:
            serverCode.map(Self.codesOfTheMoment.contains) ?? false
        default:
            false
        }
    }

    /// What a server says that starts, is replaced, or is full. `EXECABORT`: one of these came before, inside a transaction.
    private static let codesOfTheMoment: Set = [
        "LOADING", "BUSY", "MASTERDOWN", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "OOM", "MISCONF", "NOREPLICAS",
        "EXECABORT",
    ]
}
