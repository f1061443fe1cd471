// SPDX-License-Identifier: Apache-2.0

import BurstPool

final class Connection {
    var uses = 0
}

func keep<Strategy>(_ pool: ConnectionPool<Strategy>) async throws where Strategy.Connection == Connection {
    var kept: [Connection] = []
    try await pool.withConnection { connection in
        kept.append(connection)  // refused: risks causing data races
        connection.uses += 1
    }
    print(kept.count)
    kept = []
}
