// SPDX-License-Identifier: Apache-2.0

import BurstPool

final class Connection {
    var uses = 0
}

func share<Strategy>(_ pool: ConnectionPool<Strategy>) async throws where Strategy.Connection == Connection {
    try await pool.withConnection { connection in
        let shared = connection
        Task { shared.uses += 1 }  // refused: risks causing data races
        shared.uses += 1
    }
}
