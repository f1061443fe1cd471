// SPDX-License-Identifier: Apache-2.0

import BurstPool

func releaseAndDiscard<Strategy>(_ pool: ConnectionPool<Strategy>) async throws {
    let lease = try await pool.acquire()
    lease.release()
    lease.discard()  // refused: 'lease' consumed more than once
}
