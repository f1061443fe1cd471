import BurstPoolRedis

/// Which errors belong to the run, and which are a failure.
struct ExpectedErrors: Sendable {
    /// Whether connections are being killed on purpose.
    let chaos: Bool

    /// A killed connection shows as one that closed: while a command is under way, or while the connection is being named.
    func contains(_ error: any Error) -> Bool {
        guard chaos, let error = error as? RedisError else { return false }
        return switch error.code {
        case .connectionClosed: true
        case .connectFailed: (error.underlyingError as? RedisError)?.code == .connectionClosed
        default: false
        }
    }
}
