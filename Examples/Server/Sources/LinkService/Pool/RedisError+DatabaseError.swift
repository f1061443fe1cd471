// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis

extension RedisError: DatabaseError {
    var isAnswer: Bool { code == .serverError }

    var isOutage: Bool {
        switch code {
        case .connectFailed, .connectTimedOut, .tlsFailed, .authenticationFailed, .connectionClosed, .commandTimedOut,
            .protocolError,
            .closeTimedOut:
            true
        case .serverError:
            serverCode.map(Self.temporaryServerCodes.contains) ?? false
        default:
            false
        }
    }

    /// The error codes of a server that is starting, is being replaced, or is full. `EXECABORT` means that one of these errors
    /// occurred inside a transaction.
    private static let temporaryServerCodes: Set = [
        "LOADING", "BUSY", "MASTERDOWN", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "OOM", "MISCONF", "NOREPLICAS",
        "EXECABORT",
    ]
}
