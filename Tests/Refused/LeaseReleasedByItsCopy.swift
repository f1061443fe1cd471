// SPDX-License-Identifier: Apache-2.0

import BurstPool

func releaseBoth<Strategy>(_ pool: ConnectionPool<Strategy>) async throws {
    let lease = try await pool.acquire()
    let other = lease
    other.release()
    lease.release()  // refused: 'lease' consumed more than once
}
