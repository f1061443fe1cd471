// SPDX-License-Identifier: Apache-2.0

import CLibPQ

extension PostgresConnection {
    /// Makes sure that dates in the text format can be read.
    func setUp() async throws {
        guard let style = PQparameterStatus(wire.connection, "DateStyle"), strncmp(style, "ISO", 3) != 0 else { return }
        try await use(timeout: .cancellation, shielded: true) { try await runScript("SET datestyle TO 'ISO'") }
    }

    /// Makes one round trip to the server.
    func ping() async throws {
        try await use {
            guard PQsendQuery(wire.connection, "") != 0 else { throw wire.rejected() }
            _ = try await collect()
        }
    }

    /// Undoes what a caller has changed in the session.
    func reset() async throws {
        if wire.transactionStatus != PQTRANS_IDLE {
            try await use { try await runScript("ROLLBACK") }
        }
        try await use { try await runScript(configuration.reset.sql) }
        isListening = false
        try await setUp()
    }
}
