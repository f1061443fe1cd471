// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres

extension PostgresError: DatabaseError {
    var isAnswer: Bool { code == .serverError }

    var isOutage: Bool {
        switch code {
        case .connectFailed, .connectTimedOut, .tlsFailed, .authenticationFailed, .credentialsUnavailable,
            .connectionClosed, .queryTimedOut, .protocolError:
            true
        case .serverError:
            sqlState.map { Self.temporaryStates.contains($0) || Self.temporaryClasses.contains($0.prefix(2)) } ?? false
        default:
            false
        }
    }

    /// The first two characters of the errors of a server that lost a connection (`08`), is full (`53`), is shutting down or
    /// starting (`57`), or has a fault (`58`).
    private static let temporaryClasses: Set<Substring> = ["08", "53", "57", "58"]

    /// The server was a primary and has become a standby, or an administrator has to grant a privilege.
    private static let temporaryStates: Set = ["25006", "42501"]
}
