// SPDX-License-Identifier: Apache-2.0

import BurstPool

final class Connection {
    var uses = 0
}

func useAfterRelease<Strategy>(_ pool: ConnectionPool<Strategy>) async throws where Strategy.Connection == Connection {
    let lease = try await pool.acquire()
    lease.connection.uses += 1
    lease.release()
    lease.connection.uses += 1  // refused: 'lease' used after consume
}
