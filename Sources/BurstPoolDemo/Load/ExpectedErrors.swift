// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis

/// Decides which errors are expected and which are failures.
struct ExpectedErrors: Sendable {
    /// Whether the demo kills connections.
    let chaos: Bool

    /// A killed connection causes an error during a command or while the connection is being set up.
    func contains(_ error: any Error) -> Bool {
        guard chaos, let error = error as? RedisError else { return false }
        return switch error.code {
        case .connectionClosed: true
        case .connectFailed: (error.underlyingError as? RedisError)?.code == .connectionClosed
        default: false
        }
    }
}
