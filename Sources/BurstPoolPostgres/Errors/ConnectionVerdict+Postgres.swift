// SPDX-License-Identifier: Apache-2.0

import BurstPool

extension ConnectionVerdict {
    /// What an error says about the connection on which it occurred, and about all others.
    init(after error: any Error, _ configuration: PostgresConfiguration) {
        guard let error = error as? PostgresError else {
            self = .keep
            return
        }
        switch error.code {
        case .serverError, .connectionClosed:
            let verdict = Self.verdict(error, configuration)
            self = verdict == .keep && error.code == .connectionClosed ? .discard : verdict
        case .protocolError: self = .discard
        default: self = .keep
        }
    }

    private static func verdict(_ error: PostgresError, _ configuration: PostgresConfiguration) -> ConnectionVerdict {
        switch error.sqlState ?? "" {
        // The server is shutting down, has crashed, or cannot be connected to.
        case "57P01", "57P02", "57P03": .evictAll
        // A write in a read-only transaction: after a failover, the old connections lead to a server that has become a
        // standby. A pool that is meant for a standby keeps its connections.
        case "25006": configuration.acceptsStandby || error.isByChoice ? .keep : .evictAll
        // The database was dropped; the session or the transaction was idle for too long.
        case "57P04", "57P05", "25P03": .discard
        case let state where state.hasPrefix("08"): .discard
        default: ["FATAL", "PANIC"].contains(error.severity) ? .discard : .keep
        }
    }
}

extension PostgresConfiguration {
    /// Whether the connections are meant for a server that does not accept writes.
    fileprivate var acceptsStandby: Bool {
        ["standby", "prefer-standby", "read-only"].contains(parameters["target_session_attrs"])
    }
}
